// Copyright: openmig contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

// Package provisioner makes volumes that have a real size: each is a file with
// an ext4 file system of its own, mounted on the host and handed to the cluster
// as a PersistentVolume of type local.
package provisioner

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	workers        = 8
	requestsPerSec = 200
	firstRetry     = 200 * time.Millisecond
	longestRetry   = 10 * time.Second
)

// NewCommand returns the component that serves the storage classes of one
// cluster until it is told to stop.
func NewCommand() *cobra.Command {
	var kubeconfig, name, directory, node string
	command := &cobra.Command{
		Use:           "provisioner",
		Short:         "Provision local volumes on loop files with an ext4 file system",
		SilenceUsage:  true,
		SilenceErrors: false,
		RunE: func(_ *cobra.Command, _ []string) error {
			ctx := genericapiserver.SetupSignalContext()
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return fmt.Errorf("read kubeconfig %s: %w", kubeconfig, err)
			}
			config.QPS, config.Burst = requestsPerSec, 2*requestsPerSec
			config.UserAgent = "lab-provisioner"
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return fmt.Errorf("make a client: %w", err)
			}
			volumes, err := newLoopVolumes(directory, node)
			if err != nil {
				return err
			}
			retry := workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, longestRetry)
			controller.NewProvisionController(
				ctx, client, name, volumes,
				controller.LeaderElection(false),
				controller.Threadiness(workers),
				controller.RateLimiter(retry),
				controller.MetricsPort(0),
			).Run(ctx)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how to reach the cluster")
	flags.StringVar(&name, "name", "lab.openmig.example/loop", "the provisioner's name in storage classes")
	flags.StringVar(&directory, "directory", "", "where the files and the mounts are made")
	flags.StringVar(&node, "node", "", "the node that the volumes belong to")
	for _, required := range []string{"kubeconfig", "directory", "node"} {
		if err := command.MarkFlagRequired(required); err != nil {
			panic(err)
		}
	}
	return command
}

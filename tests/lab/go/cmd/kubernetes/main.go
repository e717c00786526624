// Copyright: openmig contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

// Command kubernetes is every Kubernetes component, etcd and the lab's volume
// provisioner in one file. The first argument says which of them to be.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"openmig.example/lab/provisioner"
)

// commands holds one constructor per component that is built on cobra.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          func() *cobra.Command { return apiserver.NewAPIServerCommand() },
	"kube-controller-manager": func() *cobra.Command { return controllermanager.NewControllerManagerCommand() },
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              func() *cobra.Command { return proxy.NewProxyCommand() },
	"kubelet": func() *cobra.Command {
		return kubelet.NewKubeletCommand(context.Background())
	},
	"kubectl":     func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
	"provisioner": provisioner.NewCommand,
}

func main() {
	name, rest := choose(os.Args)
	if name == "etcd" {
		etcdmain.Main(append([]string{"etcd"}, rest...))
		return
	}
	constructor, known := commands[name]
	if !known {
		names := []string{"etcd"}
		for command := range commands {
			names = append(names, command)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: %s COMPONENT [FLAG...]; components: %v\n", os.Args[0], names)
		os.Exit(2)
	}
	os.Args = append([]string{name}, rest...)
	os.Exit(cli.Run(constructor()))
}

// choose takes the component from the program's own name (a link called
// kubectl, for example) or else from the first argument.
func choose(args []string) (string, []string) {
	self := filepath.Base(args[0])
	if _, known := commands[self]; known {
		return self, args[1:]
	}
	if len(args) < 2 {
		return "", nil
	}
	return args[1], args[2:]
}

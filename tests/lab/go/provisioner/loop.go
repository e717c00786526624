// Copyright: openmig contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

package provisioner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	blockSize     = 4096
	inodeSize     = 256
	bytesPerInode = 8192
	fixedOverhead = 128 << 10
)

// loopVolumes implements controller.Provisioner. Every volume is
// directory/files/NAME.img, mounted at directory/mounts/NAME.
type loopVolumes struct {
	directory string
	node      string
}

func newLoopVolumes(directory, node string) (*loopVolumes, error) {
	for _, part := range []string{"files", "mounts"} {
		if err := os.MkdirAll(filepath.Join(directory, part), 0o755); err != nil {
			return nil, fmt.Errorf("prepare the volume directory: %w", err)
		}
	}
	return &loopVolumes{directory: directory, node: node}, nil
}

func (l *loopVolumes) file(name string) string {
	return filepath.Join(l.directory, "files", name+".img")
}

func (l *loopVolumes) mount(name string) string {
	return filepath.Join(l.directory, "mounts", name)
}

// fileSize says how long the file must be for the file system in it to have
// room for the bytes requested: the inode tables and what ext4 keeps for itself
// come on top.
func fileSize(requested int64) int64 {
	inodes := requested / bytesPerInode * inodeSize
	bitmaps := requested / 1024
	size := requested + inodes + inodes/16 + bitmaps + fixedOverhead
	return (size + blockSize - 1) / blockSize * blockSize
}

// Provision is safe to call again for the same volume: what an earlier call has
// left is removed first.
func (l *loopVolumes) Provision(ctx context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	name, claim := options.PVName, options.PVC
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == v1.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, errors.New("only file system volumes are made on demand")
	}
	if options.SelectedNodeName != "" && options.SelectedNodeName != l.node {
		return nil, controller.ProvisioningReschedule, fmt.Errorf("volumes are made on node %s only", l.node)
	}
	capacity := claim.Spec.Resources.Requests[v1.ResourceStorage]
	if err := l.remove(ctx, name); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := l.create(ctx, name, capacity.Value()); err != nil {
		return nil, controller.ProvisioningFinished, errors.Join(err, l.remove(ctx, name))
	}
	mode := v1.PersistentVolumeFilesystem
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      v1.ResourceList{v1.ResourceStorage: capacity},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			StorageClassName:              options.StorageClass.Name,
			MountOptions:                  options.StorageClass.MountOptions,
			VolumeMode:                    &mode,
			PersistentVolumeSource: v1.PersistentVolumeSource{
				Local: &v1.LocalVolumeSource{Path: l.mount(name)},
			},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{
					MatchExpressions: []v1.NodeSelectorRequirement{{
						Key:      v1.LabelHostname,
						Operator: v1.NodeSelectorOpIn,
						Values:   []string{l.node},
					}},
				}},
			}},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes mount and file; a volume that is gone already is no error.
func (l *loopVolumes) Delete(ctx context.Context, volume *v1.PersistentVolume) error {
	return l.remove(ctx, volume.Name)
}

func (l *loopVolumes) create(ctx context.Context, name string, requested int64) error {
	file, err := os.OpenFile(l.file(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create the volume's file: %w", err)
	}
	if err := errors.Join(file.Truncate(fileSize(requested)), file.Close()); err != nil {
		return fmt.Errorf("size the volume's file: %w", err)
	}
	// No journal: the lab is thrown away after a crash. The file is sparse, so
	// it reads as zeroes and the inode tables need no writing.
	err = run(ctx, "mkfs.ext4", "-q", "-F", "-m", "0",
		"-b", fmt.Sprint(blockSize), "-I", fmt.Sprint(inodeSize), "-i", fmt.Sprint(bytesPerInode),
		"-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard", l.file(name))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.mount(name), 0o755); err != nil {
		return fmt.Errorf("create the mount point: %w", err)
	}
	if err := run(ctx, "mount", "-t", "ext4", "-o", "loop,noatime,noinit_itable", l.file(name), l.mount(name)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(l.mount(name), "lost+found")); err != nil {
		return fmt.Errorf("empty the file system: %w", err)
	}
	return l.releaseReserve(name)
}

// releaseReserve gives back the clusters that ext4 holds for delayed
// allocation (2 %), so that a volume is full only when it is.
func (l *loopVolumes) releaseReserve(name string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("list the mounts: %w", err)
	}
	for _, line := range strings.Split(string(mounts), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[1] != l.mount(name) {
			continue
		}
		knob := filepath.Join("/sys/fs/ext4", filepath.Base(fields[0]), "reserved_clusters")
		if err := os.WriteFile(knob, []byte("0"), 0o644); err != nil {
			return fmt.Errorf("release the reserve: %w", err)
		}
		return nil
	}
	return fmt.Errorf("%s is not mounted", l.mount(name))
}

func (l *loopVolumes) remove(ctx context.Context, name string) error {
	if _, err := os.Stat(l.mount(name)); err == nil {
		if err := run(ctx, "umount", l.mount(name)); err != nil && !strings.Contains(err.Error(), "not mounted") {
			if err := run(ctx, "umount", "-l", l.mount(name)); err != nil {
				return err
			}
		}
		if err := os.Remove(l.mount(name)); err != nil {
			return fmt.Errorf("remove the mount point: %w", err)
		}
	}
	if err := os.Remove(l.file(name)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove the volume's file: %w", err)
	}
	return nil
}

func run(ctx context.Context, program string, arguments ...string) error {
	output, err := exec.CommandContext(ctx, program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(output)))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// directories makes a directory per volume below root, which nobody but root may enter
// from the machine's side.
type directories struct {
	root string
}

// Provision implements controller.Provisioner.
func (d directories) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, errors.New("no node is selected: the storage class needs volumeBindingMode: WaitForFirstConsumer")
	}
	path := filepath.Join(d.root, options.PVName)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// A pod without fsGroup writes to its volume too, whoever it runs as; MkdirAll's mode is cut by the umask.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return volume(path, options), controller.ProvisioningFinished, nil
}

// volume is a local volume rather than a hostPath one: the kubelet gives a local one to
// the pod's fsGroup.
func volume(path string, options controller.ProvisionOptions) *v1.PersistentVolume {
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: options.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{options.SelectedNodeName},
				}},
			}}}},
		},
	}
}

// Delete implements controller.Provisioner. It removes nothing outside of root, whatever
// path somebody has written into the volume.
func (d directories) Delete(_ context.Context, volume *v1.PersistentVolume) (err error) {
	if volume.Spec.Local == nil || volume.Spec.Local.Path != filepath.Join(d.root, volume.Name) {
		return &controller.IgnoredError{Reason: "the volume is not in " + d.root}
	}
	root, err := os.OpenRoot(d.root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return root.RemoveAll(volume.Name)
}

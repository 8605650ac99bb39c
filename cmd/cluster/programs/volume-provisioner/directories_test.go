package main

import (
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func claim() controller.ProvisionOptions {
	policy := v1.PersistentVolumeReclaimDelete
	return controller.ProvisionOptions{
		PVName:           "pvc-1",
		SelectedNodeName: "node-1",
		StorageClass:     &storagev1.StorageClass{ReclaimPolicy: &policy},
		PVC: &v1.PersistentVolumeClaim{Spec: v1.PersistentVolumeClaimSpec{
			AccessModes: []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce},
			Resources:   v1.VolumeResourceRequirements{Requests: v1.ResourceList{v1.ResourceStorage: resource.MustParse("1Gi")}},
		}},
	}
}

func TestAVolumeIsADirectoryUntilItIsDeleted(t *testing.T) {
	d := directories{t.TempDir()}
	made, _, err := d.Provision(t.Context(), claim())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(made.Spec.Local.Path)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Fatalf("%v, %v", info, err)
	}
	if size := made.Spec.Capacity.Storage().String(); size != "1Gi" {
		t.Errorf("capacity %s", size)
	}
	if err := d.Delete(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(made.Spec.Local.Path); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestDeleteStaysInItsDirectory(t *testing.T) {
	d, outside := directories{t.TempDir()}, t.TempDir()
	made, _, err := d.Provision(t.Context(), claim())
	if err != nil {
		t.Fatal(err)
	}
	made.Spec.Local.Path = outside
	if err := d.Delete(t.Context(), made); err == nil {
		t.Error("a path outside was accepted")
	}
	made.Name = filepath.Join("..", filepath.Base(outside))
	if err := d.Delete(t.Context(), made); err == nil {
		t.Error("a name that leads outside was accepted")
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("removed what is not its own: %v", err)
	}
}

func TestProvisionWantsANode(t *testing.T) {
	options := claim()
	options.SelectedNodeName = ""
	if _, _, err := (directories{t.TempDir()}).Provision(t.Context(), options); err == nil {
		t.Error("provisioned without a node")
	}
}

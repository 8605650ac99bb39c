package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// uncertainError says that objects are part of a set that may be this one. To guess
// could delete another deployment of the kustomization.
type uncertainError struct {
	text    string
	id      string // of the set that it may be
	unknown bool   // the user may not ask which sets there are
	chosen  bool   // the user has chosen a namespace in which that set has objects as well
}

func (e *uncertainError) Error() string { return e.text }

// doubt returns an uncertainError if a parent in a namespace without objects may be that
// of another deployment: the user has chosen the namespace of all objects; an object is in
// a namespace that the parent does not list; or one is the copy of a member elsewhere.
func (s *search) doubt(ctx context.Context, parent *applyset.Parent) error {
	shared := s.live[slices.IndexFunc(s.live, func(o kube.Object) bool { return o != nil && o.GetLabels()[applyset.PartOfLabel] == parent.ID() })]
	lacks := parent.Lacks(s.objects)
	switch {
	case len(lacks) > 0:
		return &uncertainError{id: parent.ID(), text: fmt.Sprintf("%s is part of the set whose record is %s, and that set has nothing in namespace %s: "+
			"if all of it has moved there, say so with --applyset %s/%s; if this is another deployment, the two cannot share an object",
			kube.NameIn(shared), kube.NameIn(parent.Live()), strings.Join(lacks, ", "), parent.Namespace, parent.Name)}
	case s.set.OnlyHere:
		return &uncertainError{id: parent.ID(), chosen: true, text: fmt.Sprintf("%s is part of the set whose record is %s, and --namespace chooses another namespace: %s",
			kube.NameIn(shared), kube.NameIn(parent.Live()), s.choices(parent))}
	}
	return s.doubtCopies(ctx, parent)
}

// doubtHere returns an uncertainError if a parent in a namespace with objects may be that
// of another deployment: an object is the copy of a member, and either the user has chosen
// the namespace, or an object is in a namespace in which that set has nothing yet.
func (s *search) doubtHere(ctx context.Context, parent *applyset.Parent) error {
	if len(parent.Lacks(s.objects)) == 0 && !s.set.OnlyHere {
		return nil
	}
	return s.doubtCopies(ctx, parent)
}

func (s *search) doubtCopies(ctx context.Context, parent *applyset.Parent) error {
	member, twin, err := parent.Copied(ctx, s.cluster, s.objects, s.live)
	if err != nil || member == nil {
		return err
	}
	return &uncertainError{id: parent.ID(), chosen: s.set.OnlyHere, text: fmt.Sprintf("%s is part of the set whose record is %s, and %s has the same name and is no part of it: it may have moved, or be of another deployment: %s",
		kube.NameIn(member), kube.NameIn(parent.Live()), kube.NameIn(twin), s.choices(parent))}
}

// choices says how the user can say which set it is.
func (s *search) choices(parent *applyset.Parent) string {
	home, name := homes(s.objects, s.cluster.Namespace)[0], parent.Name
	if home == parent.Namespace {
		name = "NAME, any other name"
	}
	return fmt.Sprintf("if it is that set, say so with --applyset %s/%s; if this is another deployment, say so with --applyset %s/%s: the two cannot share an object",
		parent.Namespace, parent.Name, home, name)
}

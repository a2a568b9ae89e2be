// SPDX-License-Identifier: Apache-2.0

// Reads manifests as Kubernetes' own types have them: a field that there is not, one of another type, a kind that is not
// known, or labels that select nothing are errors. What is asked of all: limits, probes, no more rights than needed, and
// volumes that exist.
//
// usage: manifests FILE...
package main

import (
	"bytes"
	"fmt"
	"os"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

type checker struct {
	file   string
	labels map[string]map[string]string // of pods, by the name of what makes them
	wrong  bool
}

func (c *checker) fail(name, format string, arguments ...any) {
	fmt.Printf("%s: %s: %s\n", c.file, name, fmt.Sprintf(format, arguments...))
	c.wrong = true
}

func (c *checker) container(name string, container *core.Container, volumes map[string]bool) {
	for _, mount := range container.VolumeMounts {
		if !volumes[mount.Name] {
			c.fail(name, "container %s mounts '%s', which is no volume", container.Name, mount.Name)
		}
	}
	if container.Name != "millrace" {
		return
	}
	if container.StartupProbe == nil || container.LivenessProbe == nil || container.ReadinessProbe == nil {
		c.fail(name, "a probe is missing")
	}
	if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
		c.fail(name, "resources are missing")
	}
	security := container.SecurityContext
	if security == nil || security.AllowPrivilegeEscalation == nil || *security.AllowPrivilegeEscalation {
		c.fail(name, "privileges may be escalated")
	}
}

func (c *checker) pods(name string, selector *meta.LabelSelector, template *core.PodTemplateSpec) {
	chosen, err := meta.LabelSelectorAsSelector(selector)
	if err != nil || chosen.Empty() || !chosen.Matches(labels(template.Labels)) {
		c.fail(name, "its selector does not choose its own pods")
	}
	c.labels[name] = template.Labels
	volumes := map[string]bool{}
	for _, volume := range template.Spec.Volumes {
		volumes[volume.Name] = true
	}
	for i := range template.Spec.Containers {
		c.container(name, &template.Spec.Containers[i], volumes)
	}
}

type labels map[string]string

func (l labels) Has(label string) bool              { _, has := l[label]; return has }
func (l labels) Get(label string) string            { return l[label] }
func (l labels) Lookup(label string) (string, bool) { value, has := l[label]; return value, has }

func (c *checker) document(text []byte) {
	var kind meta.TypeMeta
	var name meta.ObjectMeta
	if err := yaml.Unmarshal(text, &kind); err != nil {
		c.fail("?", "%v", err)
		return
	}
	strictly := func(out any) bool {
		err := yaml.UnmarshalStrict(text, out)
		if err != nil {
			c.fail(kind.Kind, "%v", err)
		}
		return err == nil
	}
	switch kind.APIVersion + "/" + kind.Kind {
	case "apps/v1/Deployment":
		var found apps.Deployment
		if strictly(&found) {
			name = found.ObjectMeta
			c.pods(found.Name, found.Spec.Selector, &found.Spec.Template)
		}
	case "apps/v1/DaemonSet":
		var found apps.DaemonSet
		if strictly(&found) {
			name = found.ObjectMeta
			c.pods(found.Name, found.Spec.Selector, &found.Spec.Template)
		}
	case "autoscaling/v2/HorizontalPodAutoscaler":
		var found autoscaling.HorizontalPodAutoscaler
		if strictly(&found) {
			name = found.ObjectMeta
			if c.labels[found.Spec.ScaleTargetRef.Name] == nil {
				c.fail(found.Name, "it scales '%s', which is not there", found.Spec.ScaleTargetRef.Name)
			}
		}
	case "policy/v1/PodDisruptionBudget":
		var found policy.PodDisruptionBudget
		if strictly(&found) {
			name = found.ObjectMeta
		}
	default:
		c.fail(kind.Kind, "'%s/%s' is not known here", kind.APIVersion, kind.Kind)
		return
	}
	if reasons := validation.IsDNS1123Subdomain(name.Name); len(reasons) > 0 {
		c.fail(name.Name, "%v", reasons)
	}
}

func main() {
	wrong := len(os.Args) < 2
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		check := checker{file: file, labels: map[string]map[string]string{}}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			check.document(document)
		}
		wrong = wrong || check.wrong
	}
	if wrong {
		os.Exit(1)
	}
}

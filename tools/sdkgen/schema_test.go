package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func spec(t *testing.T) schema.PackageSpec {
	t.Helper()
	var spec schema.PackageSpec
	if err := json.Unmarshal(schemaText(t), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// eachProperty visits every property of the schema with the path to it.
func eachProperty(spec schema.PackageSpec, visit func(path string, property schema.PropertySpec)) {
	all := func(path string, properties map[string]schema.PropertySpec) {
		for name, property := range properties {
			visit(path+"."+name, property)
		}
	}
	all("config", spec.Config.Variables)
	all("provider in", spec.Provider.InputProperties)
	all("provider out", spec.Provider.Properties)
	for token, object := range spec.Types {
		all(token, object.Properties)
	}
	for token, resource := range spec.Resources {
		all(token+" in", resource.InputProperties)
		all(token+" out", resource.Properties)
	}
	for token, function := range spec.Functions {
		all(token+" in", function.Inputs.Properties)
		all(token+" out", function.ReturnType.ObjectTypeSpec.Properties)
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	spec := spec(t)
	sentence := func(path, text string) {
		if !strings.HasSuffix(strings.TrimSpace(text), ".") && !strings.Contains(text, "{{% /examples %}}") {
			t.Errorf("%s has no description that ends a sentence: %q", path, text)
		}
	}
	eachProperty(spec, func(path string, property schema.PropertySpec) { sentence(path, property.Description) })
	for token, object := range spec.Types {
		sentence(token, object.Description)
		for _, value := range object.Enum {
			sentence(token+"."+value.Name, value.Description)
		}
	}
	for token, resource := range spec.Resources {
		sentence(token, resource.Description)
	}
	for token, function := range spec.Functions {
		sentence(token, function.Description)
	}
}

// Go has no unions; and a default in the schema would make the SDKs send what the user did not write.
func TestPropertiesHaveOneTypeAndNoDefault(t *testing.T) {
	var check func(path string, kind schema.TypeSpec)
	check = func(path string, kind schema.TypeSpec) {
		if len(kind.OneOf) > 0 || strings.Contains(kind.Ref, "#/Any") || strings.Contains(kind.Ref, "#/Json") {
			t.Errorf("%s is a union or has no type", path)
		}
		for _, inner := range []*schema.TypeSpec{kind.Items, kind.AdditionalProperties} {
			if inner != nil {
				check(path, *inner)
			}
		}
	}
	eachProperty(spec(t), func(path string, property schema.PropertySpec) {
		check(path, property.TypeSpec)
		if property.Default != nil || property.DefaultInfo != nil {
			t.Errorf("%s has a default", path)
		}
	})
}

func TestInputsAreEchoed(t *testing.T) {
	for token, resource := range spec(t).Resources {
		for name, input := range resource.InputProperties {
			output, ok := resource.Properties[name]
			if !ok || !reflect.DeepEqual(output.TypeSpec, input.TypeSpec) {
				t.Errorf("%s.%s is not an output of the same type", token, name)
			}
		}
		for _, name := range resource.RequiredInputs {
			if !slices.Contains(resource.Required, name) {
				t.Errorf("%s.%s is a required input and so always an output", token, name)
			}
		}
		for name := range resource.Properties {
			_, isInput := resource.InputProperties[name]
			if !isInput && name != "lastRollout" && !slices.Contains(resource.Required, name) {
				t.Errorf("%s.%s is an output that is not always set", token, name)
			}
		}
	}
}

func TestReplaceKeys(t *testing.T) {
	want := map[string][]string{
		"FunctionRollout":  {"aliasName", "functionName"},
		"FunctionAlias":    {"aliasName", "functionName"},
		"LambdaDeployment": {"aliasName", "applicationName", "deploymentGroupName", "functionName"},
		"DeploymentWaiter": nil,
	}
	for name, keys := range want {
		inputs := spec(t).Resources["lambda-rollout:index:"+name].InputProperties
		var got []string
		for _, key := range slices.Sorted(maps.Keys(inputs)) {
			if inputs[key].WillReplaceOnChanges {
				got = append(got, key)
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("%s is replaced by %v, not by %v", name, got, keys)
		}
	}
}

func TestProviderAndStackConfigurationAreTheSame(t *testing.T) {
	spec := spec(t)
	if !reflect.DeepEqual(spec.Config.Variables, spec.Provider.InputProperties) {
		t.Error("config.variables and provider.inputProperties differ")
	}
}

func TestSecretsAreMarked(t *testing.T) {
	spec := spec(t)
	for _, name := range []string{"accessKey", "secretKey", "token"} {
		if !spec.Provider.InputProperties[name].Secret || !spec.Provider.Properties[name].Secret {
			t.Errorf("the provider's %s is not secret", name)
		}
	}
	if !spec.Types["lambda-rollout:index:SmokeTest"].Properties["payload"].Secret {
		t.Error("the smoke test's payload is not secret")
	}
}

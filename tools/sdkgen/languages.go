package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	nodegen "github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	pygen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// tool is the name that generated files give as their maker.
const tool = "sdkgen"

// A language is Pulumi's generator and what we add to its files to make a package of them.
type language struct {
	name     string
	generate func(*schema.Package) (map[string][]byte, error)
	complete func(map[string][]byte, *schema.Package) error
}

var languages = []language{
	{name: "nodejs", generate: generateNode, complete: completeNode},
	{name: "go", generate: generateGo, complete: completeGo},
	{name: "python", generate: generatePython, complete: completePython},
}

// generate binds the schema anew, because each generator leaves its own mark in the package.
func generate(text []byte, language language) (map[string][]byte, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	pkg, problems, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	if problems.HasErrors() {
		return nil, problems
	}
	files, err := language.generate(pkg)
	if err != nil {
		return nil, err
	}
	return files, language.complete(files, pkg)
}

func generateNode(pkg *schema.Package) (map[string][]byte, error) {
	return nodegen.GeneratePackage(tool, pkg, nil, nil, false, nil)
}

func generateGo(pkg *schema.Package) (map[string][]byte, error) {
	return gogen.GeneratePackage(tool, pkg, nil)
}

func generatePython(pkg *schema.Package) (map[string][]byte, error) {
	return pygen.GeneratePackage(tool, pkg, nil, nil)
}

// nodeEntry tells Node and TypeScript where the compiled package is. The version is read at run time from the
// package.json beside the compiled code, so the build puts a copy there.
const nodeEntry = `"main": "bin/index.js",
    "types": "bin/index.d.ts",
    "files": [
        "bin/"
    ],
    "scripts": {
        "build": "tsc && node -e \"require('fs').copyFileSync('package.json', 'bin/package.json')\"",
        "prepare": "npm run build"
    },`

func completeNode(files map[string][]byte, pkg *schema.Package) error {
	manifest := string(files["package.json"])
	scripts := "\"scripts\": {\n        \"build\": \"tsc\"\n    },"
	if strings.Count(manifest, scripts) != 1 {
		return errors.New("package.json has not the build script that Pulumi's generator used to write")
	}
	description := fmt.Sprintf("\"description\": %q,\n    ", pkg.Description)
	files["package.json"] = []byte(strings.Replace(manifest, scripts, description+nodeEntry, 1))
	return addReadme(files, "README.md", pkg, nodeReadme)
}

// completeGo makes a Go module of the package. The requirements are fixed, so that generating needs no network.
func completeGo(files map[string][]byte, pkg *schema.Package) error {
	folder := path.Base(goModule)
	if _, ok := files[path.Join(folder, "provider.go")]; !ok {
		return fmt.Errorf("the package is not in the folder %s: is importBasePath %s?", folder, goModule)
	}
	files[path.Join(folder, "go.mod")] = goMod
	files[path.Join(folder, "go.sum")] = goSum
	return addReadme(files, path.Join(folder, "README.md"), pkg, goReadme)
}

// completePython moves the README to where pyproject.toml looks for it.
func completePython(files map[string][]byte, pkg *schema.Package) error {
	delete(files, "pulumi_lambda_rollout/README.md")
	return addReadme(files, "README.md", pkg, pythonReadme)
}

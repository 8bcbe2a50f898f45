package main

import (
	"bytes"
	_ "embed"
	"text/template"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

const goModule = "github.com/lambda-rollout/pulumi-lambda-rollout/sdk-gen/go/lambdarollout"

var (
	//go:embed templates/go.mod.txt
	goMod []byte
	//go:embed templates/go.sum.txt
	goSum []byte
	//go:embed templates/README.md.txt
	readmeText string
	//go:embed templates/example.ts
	nodeExample string
	//go:embed templates/example.go.txt
	goExample string
	//go:embed templates/example.py
	pythonExample string

	readmeTemplate = template.Must(template.New("README").Parse(readmeText))
)

// A readme is what differs between the languages.
type readme struct {
	Name     string
	Language string
	Fence    string
	Install  string
	Build    string
	Example  string
}

var (
	nodeReadme = readme{
		Name:     "pulumi-lambda-rollout",
		Language: "TypeScript and JavaScript",
		Fence:    "typescript",
		Install:  "npm install pulumi-lambda-rollout",
		Build:    "npm install && npm run build",
		Example:  nodeExample,
	}
	goReadme = readme{
		Name:     "lambdarollout",
		Language: "Go",
		Fence:    "go",
		Install:  "go get " + goModule,
		Build:    "go build ./...",
		Example:  goExample,
	}
	pythonReadme = readme{
		Name:     "pulumi-lambda-rollout",
		Language: "Python",
		Fence:    "python",
		Install:  "pip install pulumi-lambda-rollout",
		Build:    "pip install .",
		Example:  pythonExample,
	}
)

func addReadme(files map[string][]byte, name string, pkg *schema.Package, text readme) error {
	var out bytes.Buffer
	err := readmeTemplate.Execute(&out, struct {
		readme
		Description string
		Repository  string
	}{text, pkg.Description, pkg.Repository})
	if err != nil {
		return err
	}
	files[name] = out.Bytes()
	return nil
}

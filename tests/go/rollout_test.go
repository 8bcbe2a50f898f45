// Package e2e runs a Go program, with the generated Go SDK, through Pulumi's Automation API and the real CLI.
package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/pulumi-lambda-rollout/sdk-gen/go/lambdarollout"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestARolloutFromGo(t *testing.T) {
	ctx := context.Background()
	sandbox := startSandbox(t)
	sandbox.createFunction("orders", "one")

	version := "1"
	stack := newStack(t, ctx, sandbox, func(ctx *pulumi.Context) error {
		rollout, err := lambdarollout.NewFunctionRollout(ctx, "orders", &lambdarollout.FunctionRolloutArgs{
			FunctionName: pulumi.String("orders"),
			Version:      pulumi.String(version),
			Strategy: lambdarollout.StrategyArgs{
				Type:       lambdarollout.StrategyTypeLinear,
				Percentage: pulumi.Int(50),
				Interval:   pulumi.String("2m"),
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("targetArn", rollout.TargetArn)
		ctx.Export("servingVersion", rollout.ServingVersion)
		return nil
	})

	up(t, ctx, stack)
	if answer := sandbox.invoke("orders", "stable"); answer != "one" {
		t.Errorf("the first version answers %q", answer)
	}

	sandbox.publish("orders", "two")
	version = "2"
	result := up(t, ctx, stack)
	if answer := sandbox.invoke("orders", "stable"); answer != "two" {
		t.Errorf("the second version answers %q", answer)
	}
	if serving := result.Outputs["servingVersion"].Value; serving != "2" {
		t.Errorf("version %v serves", serving)
	}
	if !strings.Contains(result.StdOut, "[1/2] 50 % on version 2") {
		t.Errorf("no word of the shift in:\n%s", result.StdOut)
	}

	if _, err := stack.Destroy(ctx); err != nil {
		t.Fatal(err)
	}
}

func up(t *testing.T, ctx context.Context, stack auto.Stack) auto.UpResult {
	t.Helper()
	result, err := stack.Up(ctx, optup.SuppressProgress())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func newStack(t *testing.T, ctx context.Context, sandbox *sandbox, program pulumi.RunFunc) auto.Stack {
	t.Helper()
	home := t.TempDir()
	env := sandbox.env()
	env["PULUMI_BACKEND_URL"] = "file://" + home
	env["PULUMI_CONFIG_PASSPHRASE"] = "correct horse"
	env["PULUMI_SKIP_UPDATE_CHECK"] = "true"
	env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
	project := workspace.Project{
		Name:    "shop",
		Runtime: workspace.NewProjectRuntimeInfo("go", nil),
		Plugins: &workspace.Plugins{Providers: []workspace.PluginOptions{
			{Name: "lambda-rollout", Path: filepath.Join(root(t), "target/debug")},
		}},
	}
	stack, err := auto.NewStackInlineSource(ctx, "go", "shop", program,
		auto.Project(project), auto.EnvVars(env), auto.WorkDir(home), auto.PulumiHome(filepath.Join(home, "pulumi")))
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

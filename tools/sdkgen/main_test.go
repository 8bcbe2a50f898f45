package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func schemaText(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func files(t *testing.T, text []byte, language language) map[string][]byte {
	t.Helper()
	files, err := generate(text, language)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheSameSchemaGivesTheSameBytes(t *testing.T) {
	text := schemaText(t)
	for _, language := range languages {
		first, second := files(t, text, language), files(t, text, language)
		if !maps.EqualFunc(first, second, slices.Equal) {
			t.Errorf("%s differs from run to run", language.name)
		}
	}
}

func TestEachSdkAsksForItsOwnPluginVersion(t *testing.T) {
	text := regexp.MustCompile(`(?m)^  "version": ".*"`).ReplaceAll(schemaText(t), []byte(`  "version": "9.8.7"`))
	where := map[string]string{
		"nodejs": "package.json",
		"go":     "lambdarollout/internal/pulumiUtilities.go",
		"python": "pulumi_lambda_rollout/pulumi-plugin.json",
	}
	for _, language := range languages {
		content := string(files(t, text, language)[where[language.name]])
		if !strings.Contains(content, "9.8.7") {
			t.Errorf("%s does not say which plugin version it needs", language.name)
		}
	}
}

func TestTheNodePackageNamesItsCompiledEntry(t *testing.T) {
	manifest := string(files(t, schemaText(t), languages[0])["package.json"])
	for _, line := range []string{`"main": "bin/index.js"`, `"types": "bin/index.d.ts"`, `"build": "tsc`} {
		if !strings.Contains(manifest, line) {
			t.Errorf("package.json lacks %s", line)
		}
	}
}

func TestWhatIsNoLongerGeneratedGoesAway(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "nodejs")
	for _, name := range []string{"old.ts", "types/new.ts"} {
		if err := replaceFolder(folder, map[string][]byte{name: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "old.ts")); !os.IsNotExist(err) {
		t.Errorf("old.ts is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "types", "new.ts")); err != nil {
		t.Error(err)
	}
}

func TestAWrongSchemaIsRefused(t *testing.T) {
	dangling := strings.Replace(string(schemaText(t)), "#/types/lambda-rollout:index:Strategy\"", "#/types/lambda-rollout:index:Nothing\"", 1)
	for _, text := range []string{"{", dangling} {
		if _, err := generate([]byte(text), languages[0]); err == nil {
			t.Error("no error")
		}
	}
}

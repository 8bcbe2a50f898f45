package e2e

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// sandbox is a running rollout-sandbox. It ends when its standard input does.
type sandbox struct {
	t        *testing.T
	endpoint string
}

func root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func startSandbox(t *testing.T) *sandbox {
	t.Helper()
	cmd := exec.Command(filepath.Join(root(t), "target/debug/rollout-sandbox"),
		"--port", "0", "--speed", "60", "--exit-with-stdin")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the sandbox did not end well: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	endpoint := regexp.MustCompile(`http://[^ \n]+`).FindString(line)
	if endpoint == "" {
		t.Fatalf("the sandbox said %q (%v) instead of its endpoint", line, err)
	}
	return &sandbox{t: t, endpoint: endpoint}
}

func (s *sandbox) env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":           s.endpoint,
		"AWS_ACCESS_KEY_ID":          "test",
		"AWS_SECRET_ACCESS_KEY":      "test",
		"AWS_REGION":                 "us-east-1",
		"AWS_EC2_METADATA_DISABLED":  "true",
		"LAMBDA_ROLLOUT_CLOCK_SPEED": "60",
	}
}

// lambda calls Lambda's REST API. The sandbox does not verify signatures; it only reads the scope.
func (s *sandbox) lambda(method, path string, body any) []byte {
	s.t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequest(method, s.endpoint+"/2015-03-31/functions"+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=none")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	return answer
}

func zipped(t *testing.T, code string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	file, err := archive.Create("index.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(code)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func answering(what string) string {
	return fmt.Sprintf("exports.handler = async () => ({ answer: %q });", what)
}

// createFunction makes a function and publishes its first version.
func (s *sandbox) createFunction(name, answer string) {
	s.t.Helper()
	s.lambda("POST", "", map[string]any{
		"FunctionName": name, "Runtime": "nodejs20.x", "Handler": "index.handler",
		"Role": "arn:aws:iam::000000000000:role/" + name, "Publish": true,
		"Code": map[string]any{"ZipFile": zipped(s.t, answering(answer))},
	})
}

// publish changes the code and publishes the next version.
func (s *sandbox) publish(name, answer string) {
	s.t.Helper()
	s.lambda("PUT", "/"+name+"/code", map[string]any{"ZipFile": zipped(s.t, answering(answer)), "Publish": true})
}

func (s *sandbox) invoke(name, qualifier string) string {
	s.t.Helper()
	var answer struct{ Answer string }
	if err := json.Unmarshal(s.lambda("POST", "/"+name+"/invocations?Qualifier="+qualifier, map[string]any{}), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer.Answer
}

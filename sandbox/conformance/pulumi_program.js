// Runs a Pulumi program with the Automation API: node pulumi_program.js PROGRAM FOLDER PLUGINS
//
// FOLDER keeps the state between two runs; PLUGINS is where the provider is. Prints the program's outputs as JSON.
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { LocalWorkspace } = require("@pulumi/pulumi/automation");
const esbuild = require("esbuild");

function load(file) {
    const { code } = esbuild.transformSync(fs.readFileSync(file, "utf8"), { loader: "ts", format: "cjs" });
    // Its packages are those of this repository.
    const program = new Module(path.join(__dirname, "program.js"), module);
    program.paths = module.paths;
    program._compile(code, program.id);
    return program.exports;
}

async function main(file, folder, plugins) {
    const backend = { url: `file://${folder}` };
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: "dev", projectName: "guide", program: async () => load(file) },
        {
            workDir: folder,
            envVars: {
                PULUMI_HOME: path.join(folder, "home"),
                PULUMI_CONFIG_PASSPHRASE: "correct horse",
                PULUMI_SKIP_UPDATE_CHECK: "true",
                PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            },
            projectSettings: {
                name: "guide",
                runtime: "nodejs",
                backend,
                plugins: { providers: [{ name: "lambda-rollout", path: plugins }] },
            },
        },
    );
    const { outputs } = await stack.up({ suppressProgress: true });
    const values = Object.entries(outputs).map(([name, output]) => [name, output.value]);
    process.stdout.write(`${JSON.stringify(Object.fromEntries(values))}\n`);
}

main(...process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
});

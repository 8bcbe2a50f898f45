// Prints a dynamic provider in the form in which Pulumi keeps one in the state: what SST's resources, too, run on.
"use strict";

const { serializeFunction } = require("@pulumi/pulumi/runtime");

const provider = {
    async check(olds, news) {
        return { inputs: news };
    },
    async diff(id, olds, news) {
        const differs = (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]);
        return { changes: Object.keys(news).some(differs) };
    },
    async create() {
        throw new Error("the benchmark creates nothing");
    },
};

serializeFunction(() => provider).then((serialised) => process.stdout.write(serialised.text));

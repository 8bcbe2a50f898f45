// The programs that people copy from the guides and from the schema's descriptions are right by their types.

import * as assert from "node:assert/strict";
import { test } from "node:test";
import { pythonPrograms, typescriptOfExamples, typescriptOfGuides, yamlPrograms } from "./programs";
import { examples } from "./texts";
import { typeProblems } from "./typescript";

test("each example is there once in each language", () => {
    for (const { place, blocks } of examples) {
        assert.deepEqual(blocks.map(({ language }) => language), ["typescript", "python", "go", "yaml"], place);
    }
});

test("programs in TypeScript, Python and YAML have the right types", () => {
    const translated = [yamlPrograms(), pythonPrograms()];
    const programs = [...typescriptOfGuides(), ...typescriptOfExamples(), ...translated.flatMap(({ programs }) => programs)];
    const problems = [...translated.flatMap(({ problems }) => problems), ...typeProblems(programs)];
    assert.equal(problems.length, 0, problems.join("\n"));
});

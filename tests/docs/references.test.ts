// What people read leads where it says: commands, settings, links and paths.

import * as assert from "node:assert/strict";
import { test } from "node:test";
import { commandProblems } from "./commands";
import { referenceProblems } from "./links";

test("commands in the texts can be given", () => {
    assert.equal(commandProblems().join("\n"), "");
});

test("links and paths in the texts lead somewhere", () => {
    assert.equal(referenceProblems().join("\n"), "");
});

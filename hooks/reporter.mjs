// Node's reporter for people prints a dozen lines about a run in which nothing happened. This prints failures, and a count.

export default async function* (events) {
    const failures = [];
    let passed = 0;
    for await (const event of events) {
        if (event.type === "test:pass") passed += 1;
        if (event.type === "test:fail") failures.push(event);
    }
    for (const failure of failures) yield `FAILED ${failure.data.name}\n${failure.data.details.error.cause?.stack ?? failure.data.details.error}\n`;
    yield `${passed} passed, ${failures.length} failed\n`;
}

// The door that everybody goes through. A request that says so in a header reaches the newest version.

export const handler = async ({ headers, rawPath, rawQueryString }) => {
    const url = headers["x-version"] === "latest" ? process.env.LATEST_URL : process.env.STABLE_URL;
    const query = rawQueryString ? `?${rawQueryString}` : "";
    // The URL ends with the slash that the path begins with.
    const answer = await fetch(url + rawPath.slice(1) + query);
    return {
        statusCode: answer.status,
        headers: { "content-type": answer.headers.get("content-type") ?? "text/plain" },
        body: await answer.text(),
    };
};

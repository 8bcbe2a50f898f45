const release = 1;

export const handler = async (request) => {
    // A stage with a name stands in front of the path.
    if (request.rawPath.endsWith("/health")) return { statusCode: 200, body: "ok" };
    return { statusCode: 200, body: JSON.stringify({ shop: "open", release }) };
};

const release = 1;

export const handler = async (request) => {
    if (request.rawPath === "/health") return { statusCode: 200, body: "ok" };
    return { statusCode: 200, body: JSON.stringify({ shop: "open", release }) };
};

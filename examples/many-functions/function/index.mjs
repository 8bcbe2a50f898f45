const release = 1;

export const handler = async () => ({ service: process.env.SERVICE, release });

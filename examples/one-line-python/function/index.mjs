const release = 1;

export const handler = async () => ({ orders: ["coffee", "bread"], release });

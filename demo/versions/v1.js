// Adds up an order.
exports.handler = async (order) => {
    const total = order.items.reduce((sum, item) => sum + item.price * item.count, 0);
    return { total };
};

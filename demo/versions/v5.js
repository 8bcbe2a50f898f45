// Prices come as text now, or so somebody thought: the total is text, too.
exports.handler = async (order) => {
    const full = order.items.reduce((sum, item) => sum + `${item.price * item.count}`, "");
    const shipping = order.customer?.member ? 0 : 5;
    return { total: full, shipping };
};

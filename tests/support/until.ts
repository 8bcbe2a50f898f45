/** Far longer than anything here takes: what is not so by then never will be. */
const patience = 600_000;

/** Looks again and again until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + patience;
    while (!(await isSo())) {
        if (Date.now() > end) throw new Error(`this never came true: ${isSo}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

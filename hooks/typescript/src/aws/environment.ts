// Where AWS is, as Lambda's environment says.

export type Service = "codedeploy" | "lambda";

/** Where names end, by the first part of the region, if it is not amazonaws.com. */
const SUFFIXES: Record<string, string> = {
    cn: "amazonaws.com.cn",
    eusc: "amazonaws.eu",
    "eu-isoe": "cloud.adc-e.uk",
    "us-iso": "c2s.ic.gov",
    "us-isob": "sc2s.sgov.gov",
    "us-isof": "csp.hci.ic.gov",
};

export function region(): string {
    const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (!region) throw new Error("AWS_REGION is not set; Lambda sets it");
    return region;
}

export function endpoint(service: Service): string {
    const given = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || process.env.AWS_ENDPOINT_URL;
    if (given) return given.replace(/\/+$/, "");
    const [first, second] = region().split("-");
    const suffix = SUFFIXES[`${first}-${second}`] ?? SUFFIXES[first!] ?? "amazonaws.com";
    return `https://${service}.${region()}.${suffix}`;
}

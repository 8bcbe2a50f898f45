import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** A distribution in front of both versions. A request with the header `x-version: latest` reaches the newest one. */
export function cloudFront(name: string, stableUrl: pulumi.Input<string>, latestUrl: pulumi.Input<string>) {
    const choose = new aws.cloudfront.Function(name, {
        runtime: "cloudfront-js-2.0",
        publish: true,
        code: `import cf from "cloudfront";

function handler(event) {
    const version = event.request.headers["x-version"];
    if (version && version.value === "latest") cf.selectRequestOriginById("latest");
    return event.request;
}
`,
    });
    const distribution = new aws.cloudfront.Distribution(name, {
        enabled: true,
        origins: [origin("stable", stableUrl), origin("latest", latestUrl)],
        defaultCacheBehavior: {
            targetOriginId: "stable",
            viewerProtocolPolicy: "redirect-to-https",
            allowedMethods: ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            cachedMethods: ["GET", "HEAD"],
            // AWS's own policies: CachingDisabled, and AllViewerExceptHostHeader.
            cachePolicyId: "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            originRequestPolicyId: "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            functionAssociations: [{ eventType: "viewer-request", functionArn: choose.arn }],
        },
        restrictions: { geoRestriction: { restrictionType: "none" } },
        viewerCertificate: { cloudfrontDefaultCertificate: true },
    });
    return pulumi.interpolate`https://${distribution.domainName}/`;
}

function origin(originId: string, url: pulumi.Input<string>) {
    return {
        originId,
        domainName: pulumi.output(url).apply((text) => new URL(text).hostname),
        customOriginConfig: {
            httpPort: 80,
            httpsPort: 443,
            originProtocolPolicy: "https-only",
            originSslProtocols: ["TLSv1.2"],
        },
    };
}

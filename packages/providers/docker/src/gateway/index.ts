/** The gateway of a service: one container that owns its ports, and further ones for ports that came later. */
export * from "./apply-gateway.ts";
export * from "./drain-target.ts";
export * from "./gateway-table.ts";
export { ensureGatewayImage } from "./image.ts";
export * from "./probe-target.ts";
export * from "./read-gateway.ts";

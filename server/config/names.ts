/** `tlsPort` → `--tls-port` */
export const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** `tlsPort` → `SLIPWAY_TLS_PORT` */
export const variableOf = (key: string) => `SLIPWAY_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;

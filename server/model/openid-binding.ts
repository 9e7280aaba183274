/** By what an issuer knows somebody, for ever; names change, and are given to others. */
export interface OpenIdBinding {
  issuer: string;
  subject: string;
}

/** No issuer has a `#` in its URL. */
export const bindingKey = ({ issuer, subject }: OpenIdBinding) => `openid:${issuer}#${subject}`;

export const SUBJECT = /^[\x20-\x7e]{1,255}$/;

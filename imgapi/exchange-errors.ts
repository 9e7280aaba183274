import { type ErrorDetails, ImgapiError } from './errors.js';

/** No connection, or one that broke: its cause has the code of the system or of TLS, such as ECONNREFUSED. */
export class Unreachable extends ImgapiError {
  override name = 'Unreachable';

  constructor(message: string, details: ErrorDetails) {
    super('RemoteSourceError', message, details);
  }
}

/** There was an answer, but not one that a server of ours gives. */
export class AnsweredBadly extends ImgapiError {
  override name = 'AnsweredBadly';
  /** The HTTP status of that answer. */
  readonly answered: number;

  constructor(answered: number, message: string, details: ErrorDetails) {
    super('RemoteSourceError', message, details);
    this.answered = answered;
  }
}

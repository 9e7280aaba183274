export type Row = readonly [status: number, meaning: string, managementStatus?: number];

/**
 * One row per code that a client can meet: its status, when it is answered, and the status by which the management API
 * calls it where that is another.
 */
export const errors = {
  ValidationFailed: [422, 'a manifest, an update, a channel or the parameters of an action are not valid', 400],
  InvalidParameter: [422, 'a query or body parameter is malformed, unknown or not allowed', 400],
  ImageFilesImmutable: [422, 'a file was added to an image that is activated already'],
  ImageAlreadyActivated: [422, 'the image is activated already'],
  NoActivationNoFile: [422, 'an image needs a file before it can be activated'],
  OperatorOnly: [403, 'only operators may do this'],
  ImageUuidAlreadyExists: [409, 'an image with this uuid exists already', 406],
  Upload: [400, 'an icon was refused, or a file is too large'],
  Download: [400, 'the file that arrived is empty, or has the wrong size or digest, or could not be fetched'],
  ImageFileTooBig: [400, 'an image layer is larger than allowed'],
  StorageIsDown: [503, 'the storage can not be read or written at the moment'],
  StorageUnsupported: [503, 'this server has no storage of the kind that was asked for'],
  RemoteSourceError: [503, 'a remote image server or registry failed'],
  OwnerDoesNotExist: [422, 'the owner is not a known user', 400],
  AccountDoesNotExist: [422, 'the account is not a known user'],
  NotImageOwner: [422, 'the account can see the image but does not own it'],
  ImageNotShared: [422, 'the image is not shared with the account'],
  NotMantaPathOwner: [422, 'the account does not own the path to export to'],
  OriginDoesNotExist: [422, 'the origin image does not exist', 400],
  OriginIsNotActive: [422, 'an image in the origin chain is not active', 400],
  InsufficientServerVersion: [422, 'the host of the virtual machine runs too old a platform'],
  ImageHasDependentImages: [422, 'other images have this one as their origin', 428],
  NotAvailable: [501, 'this server can not do that'],
  NotImplemented: [400, 'this is not supported for images of this form'],
  InternalError: [500, 'the server failed; its log tells why, under the request id'],
  ResourceNotFound: [404, 'there is no such image, file, icon or path, or it may not be seen'],
  UnauthorizedError: [401, 'credentials are missing or not valid'],
  ServiceUnavailableError: [503, 'a service that this needs is not available'],
  BadRequestError: [400, 'the request is malformed'],
  MethodNotAllowedError: [405, 'the path exists but not with this method; see the Allow header'],
  InvalidVersion: [400, 'the Accept-Version header asks for a version that is not offered'],
  InvalidContent: [400, 'the body could not be parsed'],
  BadDigest: [400, 'the body does not match its Content-MD5 header'],
  PreconditionFailed: [412, 'a conditional header does not match the current state'],
  InvalidArgument: [409, 'POST /state: the action is not known'],
  MissingParameter: [409, 'POST /state: the action is missing'],
  InvalidHeader: [400, 'a header is malformed'],

  // Ours: named additions to the contract, for cases in which the reference crashes or never ends.
  RequestEntityTooLarge: [413, 'the body is larger than this server accepts'],
  RequestedRangeNotSatisfiable: [416, 'the range lies outside the file'],
  RequestHeaderFieldsTooLarge: [431, 'the headers are larger than this server accepts'],
  RequestTimeout: [408, 'the headers did not arrive in time'],
  NotPermitted: [403, 'the credentials are valid but not good for this, such as a token that may only read'],
  ForeignOrigin: [403, 'a web page of another site has made the browser send this'],
  MisdirectedRequest: [421, 'the Host header names a host that this server is not known as'],
  TooManyRequests: [429, 'the caller has asked more often than allowed; see the Retry-After header'],
  ImageInUse: [422, 'virtual machines use the image', 428],
  QuotaExceeded: [422, 'the data center or the owner may have no more images or bytes', 400],
  ImagePending: [422, 'something works on the image already', 417],
  UserOwnsImages: [422, 'the user owns images or data centers', 428],
  LastSuperAdmin: [409, 'management: somebody has to be left who may do everything', 428],
  DatacenterInUse: [409, 'management: virtual machines are registered in the data center', 428],
  NoImageServer: [422, 'the server is set to keep records only: it takes no files', 428],
  RepositoryInUse: [409, 'management: images are brought from the repository by what follows it', 428],
  SecretInUse: [409, 'management: sources or tasks use the secret', 428],
  Busy: [409, 'management: that runs already', 423],
  AlreadyDone: [409, 'management: there is nothing to be changed, or it can not be changed any more'],
  RepositoryFailed: [400, 'management: a repository did not answer with a list of images'],
  InsufficientSpace: [
    507,
    'the disk has no room for the file; the message tells what is needed and what is available',
    400,
  ],
  NodeDown: [503, 'a node can not be reached, or does not let this server in; the message tells which and why', 423],
  NodeFailed: [503, 'a command on a node failed, in the words of the node', 424],
  NodeUnsuitable: [
    422,
    'a node can not do that, or not run the image; the message has what it takes and what there is',
    428,
  ],
  NodeInUse: [409, 'management: other nodes are reached through the node', 428],
  NodeNotManaged: [422, 'nobody has said how the node is reached by ssh', 428],
  NoPublicUrl: [503, 'nodes can not be told where images are: publicUrl is not set, or only good on this machine', 428],
  MachineState: [422, 'no image can be made of a machine in that state', 423],
  SnapshotPending: [422, 'something works on the snapshot already', 417],
  InvalidDisk: [422, 'the machine has no such disk', 412],
  Gone: [410, 'management: an upload has waited too long for its next part'],
  OffsetMismatch: [409, 'management: a part of an upload begins elsewhere than the last one has ended'],
  UnsupportedMediaType: [415, 'management: the parts of an upload are application/offset+octet-stream'],
  ChecksumMismatch: [460, 'management: a part of an upload is not what its checksum says, and was thrown away'],
  ObjectAlreadyExists: [406, 'management: something of this name exists already'],
  InvalidInput: [400, 'management: fields of the body or parameters of the query are not valid'],
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof errors;

/** What is wrong with one field. */
export interface FieldError {
  field: string;
  code: 'MissingParameter' | 'Invalid' | 'NotAllowed' | 'Missing' | 'InvalidParameter';
  message?: string;
}

export interface ErrorDetails {
  errors?: FieldError[];
  cause?: unknown;
  headers?: Record<string, string>;
}

/** A refusal that a client is told. Messages: lower case, no full stop, naming the thing and the value. */
export class ImgapiError extends Error {
  override name = 'ImgapiError';
  readonly code: ErrorCode;
  readonly status: number;
  /** Where the management API calls the same refusal by another. */
  readonly managementStatus: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, message: string, { errors: fields, cause, headers = {} }: ErrorDetails = {}) {
    super(message, { cause });
    this.code = code;
    const [status, , managementStatus = status]: Row = errors[code];
    this.status = status;
    this.managementStatus = managementStatus;
    this.errors = fields;
    this.headers = headers;
  }

  toJSON() {
    return { code: this.code, message: this.message, ...(this.errors && { errors: this.errors }) };
  }
}

/** As many as help. A body that is full of problems must not cost more than another. */
export const MOST_PROBLEMS = 100;

/** The fields in order, as a message names them. */
function named(fields: FieldError[]): string {
  return fields.map(({ field }) => (field.length > 100 ? `${field.slice(0, 100)}…` : field)).join(', ');
}

/** 422 ValidationFailed whose message names the fields. */
export function validationFailed(fields: FieldError[], what = 'invalid image data'): ImgapiError {
  const errors = fields.slice(0, MOST_PROBLEMS);
  return new ImgapiError('ValidationFailed', errors.length > 0 ? `${what}: ${named(errors)}` : what, { errors });
}

/** 422 InvalidParameter for what does not belong into a body. */
export function extraParameters(fields: FieldError[]): ImgapiError {
  const errors = fields.slice(0, MOST_PROBLEMS);
  return new ImgapiError('InvalidParameter', `extra parameters: ${named(errors)}`, { errors });
}

/** 422 InvalidParameter for one parameter. */
export function invalidParameter(field: string, code: FieldError['code'], message: string): ImgapiError {
  return new ImgapiError('InvalidParameter', message, { errors: [{ field, code, message }] });
}

/** 400 InvalidInput, in which the message of every field stands on its own. */
export function invalidInput(fields: FieldError[]): ImgapiError {
  const errors = fields.slice(0, MOST_PROBLEMS);
  const only = errors.length === 1 ? errors[0]?.message : undefined;
  return new ImgapiError('InvalidInput', only ?? `invalid input: ${named(errors)}`, { errors });
}

/** 422 ValidationFailed for one parameter of an action. */
export function wrongParameter(field: string, code: FieldError['code'], message: string): ImgapiError {
  return new ImgapiError('ValidationFailed', message, { errors: [{ field, code, message }] });
}

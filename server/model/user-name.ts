/** Names that can stand in a file name, a header and a log without being mistaken for anything else. */
const USER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/;

export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

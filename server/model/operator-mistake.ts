/** Something that whoever starts the daemon can mend: told in a line, without a stack. */
export class OperatorMistake extends Error {
  override name = 'OperatorMistake';
}

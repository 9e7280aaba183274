/** What a start is told beside the settings. */
export interface Start {
  config: string | undefined;
  checkConfig: boolean;
  takeover: string | undefined;
  fillChannel: string | undefined;
  restore: string | undefined;
  restorePassphrase: string | undefined;
  newSecretsKey: string | undefined;
  abortMigration: boolean;
}

interface StartOption {
  meaning: string;
  /** What its value is called; without one, naming it is all. */
  value?: string;
}

export const startOptions: Record<keyof Start | 'help' | 'version', StartOption> = {
  config: { meaning: 'file with settings, as TOML or JSON; SLIPWAY_CONFIG names one too', value: 'FILE' },
  checkConfig: { meaning: 'tell what would be used, or all that is wrong, and end; nothing is touched' },
  takeover: { meaning: 'take over the images, files and keys that another server left in a directory', value: 'DIR' },
  fillChannel: { meaning: 'put images that are in no channel, which nobody sees, into this one', value: 'NAME' },
  restore: { meaning: 'begin with what a backup holds, from a file or, as "-", standard input', value: 'FILE' },
  restorePassphrase: { meaning: 'file with the passphrase under which the backup holds secrets', value: 'FILE' },
  newSecretsKey: { meaning: 'make a key for the setting secretsKey in a new file, and end', value: 'FILE' },
  abortMigration: {
    meaning: 'go on here after all, with what the server was when "slipway migrate" took it elsewhere',
  },
  help: { meaning: 'this text' },
  version: { meaning: 'the version' },
};

const isWeb = (address: string) => /^https?:\/\//i.test(address) && URL.canParse(address);

/** An address as others gave it: it is opened where it is one of the web, and is only text otherwise. */
export const WebLink = ({ to }: { to: string }) =>
  isWeb(to) ? (
    <a href={to} rel="noreferrer noopener" target="_blank">
      {to}
    </a>
  ) : (
    <bdi>{to}</bdi>
  );

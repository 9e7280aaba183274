/** The manifest form of DSAPI, before IMGAPI, for the nodes that still ask for it. */

const renamed: Record<string, string> = { owner: 'creator_uuid' };
const dropped = ['v', 'state', 'public', 'acl', 'channels'];

export function legacyManifest(manifest: Record<string, unknown>): Record<string, unknown> {
  const legacy: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(manifest)) {
    if (!dropped.includes(field)) legacy[renamed[field] ?? field] = value;
  }
  const restricted = manifest.public === false && Array.isArray(manifest.acl) ? manifest.acl[0] : undefined;
  return {
    ...legacy,
    vendor_uuid: manifest.owner,
    created_at: manifest.published_at,
    ...(restricted !== undefined && { restricted_to_uuid: restricted }),
  };
}

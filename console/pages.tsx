import type { ComponentType } from 'preact';
import { type Account, holds } from './session.js';

export interface PageProps {
  params: Readonly<Record<string, string>>;
}

export interface Page {
  path: string;
  title: string;
  /** In the navigation, under this heading; pages of one thing are reached from their lists. */
  group?: 'Images' | 'Fleet' | 'People' | 'Server';
  /** Whom it is for: to others it is not offered. */
  isFor?: (account: Account) => boolean;
  /** Fetched when it is first looked at. */
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

const bringers = (account: Account) => holds(account, 'image_admin') || holds(account, 'image_import_admin');
const admins = (account: Account) => holds(account, 'admin');
const importers = (account: Account) => holds(account, 'image_import_admin');
const superAdmins = ({ super_admin }: Account) => super_admin;

/** Every page on one screen, in the order of the navigation. */
// biome-ignore format: a table is read down its columns
export const pages: readonly Page[] = [
  { path: '/',             title: 'Images',  group: 'Images', isFor: admins, load: () => import('./pages/images.js') },
  { path: '/offered',      title: 'Images to use', group: 'Images',          load: () => import('./pages/offered.js') },
  { path: '/bring',            title: 'Bring in', group: 'Images', isFor: bringers, load: () => import('./pages/bring.js') },
  { path: '/bring/repository', title: 'Bring in from a repository', isFor: bringers, load: () => import('./pages/bring-repository.js') },
  { path: '/bring/url',        title: 'Bring in by URL',            isFor: bringers, load: () => import('./pages/bring-url.js') },
  { path: '/bring/upload',     title: 'Bring in by upload',         isFor: bringers, load: () => import('./pages/bring-upload.js') },
  { path: '/bring/snapshot',   title: 'Bring in from a snapshot',   isFor: bringers, load: () => import('./pages/bring-snapshot.js') },
  { path: '/bring/registry',   title: 'Bring in from a registry',   isFor: bringers, load: () => import('./pages/bring-registry.js') },
  { path: '/bring/bundle',     title: 'Bring in from a bundle',     isFor: bringers, load: () => import('./pages/bring-bundle.js') },
  { path: '/image/:name',  title: 'Image',                                   load: () => import('./pages/image.js') },
  { path: '/datacenters',       title: 'Data centers', group: 'Fleet', isFor: admins, load: () => import('./pages/datacenters.js') },
  { path: '/datacenters/:name', title: 'Data center',                  isFor: admins, load: () => import('./pages/datacenter.js') },
  { path: '/nodes',            title: 'Nodes',     group: 'Fleet', isFor: superAdmins, load: () => import('./pages/nodes.js') },
  { path: '/nodes/:name',      title: 'Node',                      isFor: superAdmins, load: () => import('./pages/node.js') },
  { path: '/sources',          title: 'Image servers of nodes',    isFor: superAdmins, load: () => import('./pages/sources.js') },
  { path: '/machines',         title: 'Machines',  group: 'Fleet', isFor: admins,      load: () => import('./pages/machines.js') },
  { path: '/campaigns',        title: 'Campaigns', group: 'Fleet', isFor: superAdmins, load: () => import('./pages/campaigns.js') },
  { path: '/campaigns/:name',  title: 'Campaign',                  isFor: superAdmins, load: () => import('./pages/campaign.js') },
  { path: '/users',             title: 'Users',        group: 'People', isFor: superAdmins, load: () => import('./pages/users.js') },
  { path: '/users/:name',       title: 'User',                          isFor: superAdmins, load: () => import('./pages/user.js') },
  { path: '/groups',            title: 'Groups',       group: 'People', isFor: admins, load: () => import('./pages/groups.js') },
  { path: '/groups/:name',      title: 'Group',                         isFor: admins, load: () => import('./pages/group.js') },
  { path: '/tokens',            title: 'Tokens',       group: 'People',                load: () => import('./pages/tokens.js') },
  { path: '/overview',     title: 'Overview', group: 'Server', isFor: admins, load: () => import('./pages/overview.js') },
  { path: '/tasks',        title: 'Tasks',   group: 'Server',                load: () => import('./pages/tasks.js') },
  { path: '/tasks/:id',    title: 'Task',                                      load: () => import('./pages/task.js') },
  { path: '/repositories',      title: 'Repositories', group: 'Server', isFor: superAdmins, load: () => import('./pages/repositories.js') },
  { path: '/follows',           title: 'Follows',      group: 'Server', isFor: superAdmins, load: () => import('./pages/follows.js') },
  { path: '/follows/:name',     title: 'Follow',                        isFor: superAdmins, load: () => import('./pages/follow.js') },
  { path: '/secrets',           title: 'Secrets',      group: 'Server', isFor: importers, load: () => import('./pages/secrets.js') },
  { path: '/account',           title: 'My account',   group: 'People',                load: () => import('./pages/account.js') },
  { path: '/webhooks',          title: 'Webhooks',     group: 'Server',                load: () => import('./pages/webhooks.js') },
  { path: '/webhooks/:name',    title: 'Webhook',                                      load: () => import('./pages/webhook.js') },
  { path: '/audit',             title: 'Audit',        group: 'Server', isFor: admins, load: () => import('./pages/audit.js') },
  { path: '/server',            title: 'The whole server', group: 'Server', isFor: superAdmins, load: () => import('./pages/server.js') },
];

export const isOffered = ({ isFor = () => true }: Page, account: Account) => isFor(account);

/** Whom pages are for that are not for everybody, in words. */
const words = new Map<Page['isFor'], string>([
  [bringers, 'those who may bring images in'],
  [admins, 'administrators of data centers'],
  [importers, 'those who may import images'],
  [superAdmins, 'SuperAdmins'],
]);

export const whomFor = ({ isFor }: Page) => words.get(isFor) ?? 'others';

/** Where one begins: with the images to manage, or with those to use. */
export const landingOf = (account: Account) => (admins(account) ? '/' : '/offered');

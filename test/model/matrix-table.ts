/**
 * Who may do what with which image of data center D: see docs/permissions.md for the letters. Written by hand from the
 * rules, not made from the law that it proves.
 */
export const matrix = `
  operation                   SuperAdmin  DCAdmin  ImageAdmin  Publisher  Importer  Browser  NoAdmin  Member   OfBoth   OfE      trusted  node     bringing  nodeOfE  anonymous
  list in D                   yy. yy.     yy. yy.  yy. yy.     yy. yy.    yy. yy.   yy. yy.  333 333  333 333  333 333  444 444  -        -        -         -        -
  list in D, deleted too      yyy yyy     yy. yy.  yyy yyy     yyy yyy    yyy yyy   yy. yy.  333 333  333 333  333 333  444 444  -        -        -         -        -
  list all                    yyy yyy     333 333  yyy ...     yyy ...    yyy ...   333 333  333 333  333 333  ... ...  ... ...  -        -        -         -        -
  show in D                   yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  333 333  333 333  333 333  444 444  -        -        -         -        -
  show                        yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  list vms                    yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  use for a new VM            yyx yyx     yxx yxx  yxx yxx     yxx yxx    yxx yxx   yxx yxx  y44 y44  y44 y44  y44 y44  444 444  -        -        -         -        -
  use, private by DCAdmins    yyx yyx     yyx yyx  yyx yyx     yyx yyx    yyx yyx   yyx yyx  y44 y44  y44 y44  y44 y44  444 444  -        -        -         -        -
  use, its owner              yyx yyx     yyx yyx  yyx yyx     yyx yyx    yyx yyx   yyx yyx  yyx yyx  yyx yyx  yyx yyx  444 444  -        -        -         -        -
  update, deprecate, label    yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  make public, D closed       /yy /yy     /33 /33  /yy /33     /yy /33    /yy /33   /33 /33  /33 /33  /33 /33  /44 /44  /44 /44  -        -        -         -        -
  make public, D open         /yy /yy     /33 /33  /33 /33     /yy /33    /33 /33   /33 /33  /33 /33  /33 /33  /44 /44  /44 /44  -        -        -         -        -
  change dc_bound             yyy yyy     333 333  000 333     000 333    000 333   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  delete                      yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  attach to E                 yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  detach from D               yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  create                      yyy yyy     333 333  yyy bbb     yyy bbb    yyy bbb   333 333  333 333  333 333  333 bbb  444 bbb  -        -        -         -        -
  import                      yyy yyy     333 333  333 333     333 333    yyy bbb   333 333  333 333  333 333  333 bbb  444 bbb  -        -        -         -        -
  create from a snapshot      yyy bbb     333 333  yyy bbb     yyy bbb    yyy bbb   333 333  333 333  333 333  444 444  444 444  -        -        -         -        -
  browse repositories         yyy yyy     333 333  333 333     333 333    yyy yyy   yyy yyy  333 333  333 333  yyy yyy  yyy yyy  -        -        -         -        -
  secrets of D                yyy yyy     333 333  333 333     333 333    yyy yyy   yyy yyy  333 333  333 333  333 333  444 444  -        -        -         -        -
  settings of D               yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  users, groups, nodes, DCs   yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  back up                     yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  move the server             yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  members                     yyy yyy     333 333  333 333     333 333    333 333   333 333  333 333  333 333  333 333  333 333  -        -        -         -        -
  overview                    yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  333 333  333 333  yyy yyy  yyy yyy  -        -        -         -        -
  overview of D               yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  333 333  333 333  333 333  444 444  -        -        -         -        -
  list                        yyy yyy     yy. yy.  yy. yy.     yy. yy.    yy. yy.   yy. yy.  y.. y..  y.. y..  y.. y..  ... ...  yyy yyy  yy. yy.  yy. yy.   ... ...  ... ...
  list, D open                yyy yyy     yy. yy.  yy. yy.     yy. yy.    yy. yy.   yy. yy.  y.. y..  y.. y..  y.. y..  y.. y..  yyy yyy  yy. yy.  yy. yy.   ... ...  y.. y..
  get, file, icon, jobs       yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  y44 y44  y44 y44  y44 y44  444 444  yyy yyy  yyy yyy  yyy yyy   444 444  444 444
  get, D open                 yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  y44 y44  y44 y44  y44 y44  y44 y44  yyy yyy  yyy yyy  yyy yyy   444 444  y44 y44
  get, disabled               yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  444 444  444 444  444 444  444 444  yyy yyy  yyy yyy  yyy yyy   444 444  444 444
  get, disabled, D open       yyy yyy     yyy yyy  yyy yyy     yyy yyy    yyy yyy   yyy yyy  444 444  444 444  444 444  444 444  yyy yyy  yyy yyy  yyy yyy   444 444  444 444
  get, unactivated            yyy yyy     444 444  yyy 444     yyy 444    yyy 444   444 444  444 444  444 444  444 444  444 444  yyy yyy  444 444  yyy 444   444 444  444 444
  create by IMGAPI            yy/ yy/     33/ 33/  yy/ bb/     yy/ bb/    yy/ bb/   33/ 33/  33/ 33/  33/ 33/  33/ bb/  44/ bb/  yy/ yy/  33/ 33/  yy/ bb/   33/ 33/  11/ 11/
  import by IMGAPI            yy/ yy/     33/ 33/  33/ 33/     33/ 33/    yy/ bb/   33/ 33/  33/ 33/  33/ 33/  33/ bb/  44/ bb/  yy/ yy/  33/ 33/  yy/ bb/   33/ 33/  11/ 11/
  add file                    yyy yyy     333 333  yyy 444     yyy 444    yyy 444   333 333  333 333  333 333  444 444  444 444  yyy yyy  333 333  yyy 444   333 333  111 111
  activate                    yyy yyy     333 333  yyy 444     yyy 444    yyy 444   333 333  333 333  333 333  444 444  444 444  yyy yyy  333 333  yyy 444   333 333  111 111
  activate, D open            yyy yyy     333 333  3yy 444     yyy 444    3yy 444   333 333  333 333  333 333  444 444  444 444  yyy yyy  333 333  3yy 444   333 333  111 111
  disable, update, acl, icon  yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  344 344  444 444  yyy yyy  333 333  333 333   333 333  111 111
  channel-add, export         yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  344 344  444 444  yyy yyy  333 333  333 333   333 333  111 111
  update, D open              yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  344 344  344 344  yyy yyy  333 333  333 333   333 333  111 111
  enable                      yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  444 444  444 444  yyy yyy  333 333  333 333   333 333  111 111
  delete by IMGAPI            yyy yyy     333 333  yyy 333     yyy 333    yyy 333   333 333  333 333  333 333  344 344  444 444  yyy yyy  333 333  333 333   333 333  111 111
`;

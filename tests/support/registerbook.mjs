// The register's own database, only read: persons, households, papers and events as they stand. Numbers are sealed there; names, states and homes are not.
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class RegisterBook {
  constructor(demo) { this.db = new DatabaseSync(path.join(demo.dir, 'intranet/data/intranet.db'), { readOnly: true }); }

  close() { this.db.close(); }
  all(sql, ...args) { return this.db.prepare(sql).all(...args); }
  get(sql, ...args) { return this.db.prepare(sql).get(...args); }

  person(uid) { return this.get('SELECT * FROM person WHERE uid = ?', uid); }
  household(uid) { return this.get('SELECT * FROM household WHERE uid = ?', uid); }
  members(uid) { return this.all("SELECT * FROM person WHERE household = ? AND status = 'normal'", uid); }
  events(no) { return this.all('SELECT * FROM register_event WHERE case_no = ? ORDER BY id', no); }
  papers(no) { return this.all('SELECT * FROM paper WHERE case_no = ?', no); }
  case(no) { return this.get('SELECT * FROM case_file WHERE no = ?', no); }

  /** What must hold at any time, each as a list of offenders. */
  broken() {
    return {
      'a household with members and no head of its own': this.all(`SELECT h.book_no FROM household AS h WHERE h.status = 'normal' AND EXISTS (SELECT 1 FROM person AS p WHERE p.household = h.uid AND p.status = 'normal')
        AND NOT EXISTS (SELECT 1 FROM person AS p WHERE p.uid = h.head AND p.household = h.uid AND p.status = 'normal')`),
      'a normal person in an ended household': this.all("SELECT p.uid FROM person AS p JOIN household AS h ON h.uid = p.household WHERE p.status = 'normal' AND h.status <> 'normal'"),
      'a family household with more than one head': this.all("SELECT p.household FROM person AS p JOIN household AS h ON h.uid = p.household WHERE p.status = 'normal' AND p.relation_to_head = '02' GROUP BY p.household HAVING count(*) > 1"),
      'a number that stands twice': this.all('SELECT hex(id_index) FROM person GROUP BY id_index HAVING count(*) > 1'),
      'a person locked by a case that has ended': this.all("SELECT p.uid FROM person AS p JOIN case_file AS c ON c.no = p.lock_case WHERE p.lock_case <> '' AND c.final = 1"),
    };
  }
}

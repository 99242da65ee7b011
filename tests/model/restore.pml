/* restore.pml - either side's database is put back to an earlier day, or both; README.md says what is modelled.
 * X sends, Y applies. What a disk holds beside the databases (Y's vault, a start's random run, a stream's random incarnation, an item's random id) is never put
 * back. One atomic block is one commit, or one file or beat that arrives. Once `calm`, nothing is lost, repeated or put back any more; when then
 * nothing is left to do, everything must be in its place. */
#define FILES 4                          /* formed in all, by whichever start of X */
#define ITEMS 2
#define BIT(x) (1 << (x))
#define HAS(set, x) ((set) & BIT(x))
byte stream_of[FILES], run_of[FILES], number_of[FILES], item_of[FILES];      /* what file f says of itself; never changes once it was formed */
byte formed, net;                        /* how many; which are on the way */
byte accepted, streams = 1, runs = 1;    /* ids that were given */

byte x_stream, x_next = 1, x_known, x_open, x_items, x_head;   /* X's database: numbers, its files, those unacknowledged, items in no file, what it heard of Y's journal */
bool x_stopped;
byte x_run;                              /* X's memory: its start */
byte y_got, y_applied, y_met;            /* Y's database: files, items, X's newest stream */
bool y_stopped;
byte vault;                              /* files that Y received */

byte sx_stream, sx_next, sx_known, sx_open, sx_items, sx_head, sy_got, sy_applied, sy_met;      /* the copies of that earlier day */
bool x_copied, y_copied, x_back, y_back, drilled, calm;
byte came, wiped, forgotten;                 /* items that Y ever applied; items and files that X's put-back took from it */
bool x_noticed;
byte x_heard, x_heard_stream, sx_accepted;      /* the newest beat of Y that X heard */
#define NONE 255

#define RUNS_KNOWN(m) (((m) & ~x_known) == 0)        /* (stream, run, number) is one file: so many starts, so many runs */

inline form(i) {
    stream_of[formed] = x_stream; run_of[formed] = x_run; number_of[formed] = x_next; item_of[formed] = i;
    x_known = x_known | BIT(formed); x_open = x_open | BIT(formed); x_items = x_items & ~BIT(i);
    x_next++; formed++
}
inline take(f) {                         /* a known number does not let items go: each is known by its id alone */
    y_applied = y_applied | BIT(item_of[f]);
    y_got = y_got | BIT(f); vault = vault | BIT(f); came = came | BIT(item_of[f])
}
/* Of the files in m those of stream s. */
inline only(m, s) {
    a = 0;
    do :: a < formed -> if :: HAS(m, a) && stream_of[a] != s -> m = m & ~BIT(a) :: else fi; a++ :: else -> break od;
    a = 0
}
/* A beat of Y that speaks of our stream: m came. */
inline acknowledged(m) {
    b = 0; stop = false; top = 0;
    do :: b < formed -> if :: HAS(m, b) && number_of[b] > top -> top = number_of[b] :: else fi; b++ :: else -> break od;
#ifdef BUG_NO_RUNS
    stop = top >= x_next;
#else
    stop = top >= x_next || !RUNS_KNOWN(m);
#endif
    if :: stop -> x_stopped = true; x_noticed = true
       :: else ->
          b = 0;
          do :: b < formed ->
                a = 0;
                do :: a < formed ->
                      if :: HAS(m, a) && HAS(x_open, b) && stream_of[b] == x_stream && number_of[a] == number_of[b] ->
                            x_open = x_open & ~BIT(b);
                            assert(HAS(came, item_of[b]))      /* what is let go was applied */
                         :: else fi;
                      a++
                   :: else -> break od;
                b++
             :: else -> break od
    fi;
    a = 0; b = 0; top = 0; stop = false
}

/* The operator: a new stream; what was not acknowledged goes again. */
inline resync_x() {
    x_stream = streams; streams++; x_next = 1; x_stopped = false;
    a = 0;
    do :: a < formed -> if :: HAS(x_open, a) -> x_items = x_items | BIT(item_of[a]) :: else fi; a++ :: else -> break od;
    x_open = 0; a = 0
}
/* And Y's: the vault is read again. */
inline resync_y() {
    a = 0;
    do :: a < formed ->
          stop = false;
#ifdef BUG_VAULT_BY_NUMBER
          b = 0;
          do :: b < formed -> stop = stop || (b != a && HAS(y_got, b) && stream_of[b] == stream_of[a] && number_of[b] == number_of[a]); b++ :: else -> break od;
#endif
          if :: HAS(vault, a) && !HAS(y_got, a) && !stop -> take(a) :: else fi;
          a++
       :: else -> break od;
    y_stopped = false; x_head = 0; a = 0; b = 0; stop = false
}

#define PICK(set) m = 0; do :: HAS(set, m) -> break :: ((set) >> (m + 1)) -> m++ od

active proctype world() { byte a, b, m, top; bool stop;
    do
    /* X */
    :: d_step { !calm && accepted < ITEMS && formed < FILES && !x_stopped -> form(accepted); accepted++ }
    :: atomic { x_items && !x_stopped && formed < FILES -> PICK(x_items); d_step { form(m); m = 0 } }
    :: d_step { !x_stopped && (x_open & ~net & ~y_got) -> net = net | (x_open & ~y_got) }
    :: d_step { x_stopped -> resync_x() }
#ifdef DRILL
    :: d_step { !calm && !drilled && !x_stopped -> drilled = true; x_noticed = x_noticed || x_back; resync_x() }        /* an operator may, whenever */
#endif
    :: d_step { !calm && !x_copied && !x_stopped -> x_copied = true; sx_stream = x_stream; sx_next = x_next; sx_known = x_known; sx_open = x_open;
                sx_items = x_items; sx_head = x_head; sx_accepted = accepted }
    :: d_step { !calm && x_copied && !x_back -> x_back = true; wiped = (BIT(accepted) - 1) & ~(BIT(sx_accepted) - 1); forgotten = x_known & ~sx_known;
                x_stream = sx_stream; x_next = sx_next; x_known = sx_known; x_open = sx_open; x_items = sx_items; x_head = sx_head;
                x_stopped = false; x_run = runs; runs++; x_heard_stream = NONE }
    /* Y */
    :: atomic { net -> PICK(net); d_step { take(m); net = net & ~BIT(m); if :: stream_of[m] > y_met -> y_met = stream_of[m] :: else fi; m = 0 } }
    :: d_step { x_stream > y_met && !x_stopped -> y_met = x_stream }
#ifndef BUG_NO_LEFT
    :: d_step { x_stream < y_met && !x_stopped -> x_stopped = true; x_noticed = true }     /* Y's beat says a head that X's journal cannot give */
#endif
    :: d_step { (x_head & ~y_got) && !y_stopped -> y_stopped = true }      /* X's beat says a head that Y's journal cannot give */
    :: d_step { y_stopped -> resync_y() }
#ifndef DRILL
    :: d_step { !calm && !y_copied && !y_stopped -> y_copied = true; sy_got = y_got; sy_applied = y_applied; sy_met = y_met }
#endif
    :: d_step { !calm && y_copied && !y_back -> y_back = true; y_got = sy_got; y_applied = sy_applied; y_met = sy_met; x_heard_stream = NONE;
#ifdef BUG_NO_VAULT_LOOK
                y_stopped = false
#else
                y_stopped = (vault & ~y_got) != 0
#endif
              }
    /* a beat of Y; one that says what X heard already changes nothing */
    :: d_step { y_met == x_stream && (x_head & ~y_got) == 0 && !(x_heard_stream == x_stream && x_heard == y_got) ->
                x_heard_stream = x_stream; x_heard = y_got; m = y_got; only(m, x_stream); acknowledged(m);
                if :: !x_stopped -> x_head = y_got :: else fi; m = 0 }
    /* the gateway */
    :: atomic { !calm && net -> PICK(net); d_step { net = net & ~BIT(m); m = 0 } }
    :: d_step { !calm -> calm = true }
    :: else -> break
    od;
    if :: formed == FILES && x_items -> skip                               /* the model's bound: this one says nothing */
       :: else ->
          a = 0;
          do :: a < accepted -> assert(HAS(y_applied, a) || (HAS(wiped, a) && !HAS(came, a))); a++ :: else -> break od;
          assert(!(forgotten & vault) || x_noticed);       /* the operator was told */
          assert(!x_open && !x_items && !x_stopped && !y_stopped)
    fi
}

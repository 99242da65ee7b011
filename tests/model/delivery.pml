/* delivery.pml - one direction of the delivery protocol and its acknowledgements; README.md says what is modelled.
 * The gateway is a set of files: what lies in it may be carried in any order, stay and come again (duplicate), or vanish.
 * One atomic block is one commit or one rename; a crash may fall between any two and leaves the database alone. */
#define N 2                              /* items: places 1..N of one case; number n of stream s */
bool net[3], beat[4], conf[3];           /* on the way: file n; a beat acknowledging set m; confirmation of item i */
byte next = 1, item_of[3], num_of[3];    /* sender's database: numbers given, out_item.number */
bool file[3], kept[3], confirmed[3];     /* out_file, out_item, the confirmation was heard */
bool infile[3], waiting[3];              /* receiver's database: in_file, in_item waiting */
byte applied[3], settled;                /* how often the handler ran; in_case.seq */
byte work, queued;                       /* receiver's memory: the file it prepares; items accepted */
byte crashes;

inline apply(i) {
    applied[i]++; assert(applied[i] == 1);             /* once */
    assert(i == settled + 1);                          /* in the case's order */
    settled = i
}
inline pass(i) {
#ifndef BUG_NO_KNOWN
    if :: i <= settled || waiting[i] -> skip
       :: else ->
#else
    if :: true ->
#endif
#ifndef BUG_NO_ORDER
        if :: i > settled + 1 -> waiting[i] = true
           :: else -> apply(i)
        fi
#else
        apply(i)
#endif
    fi;
    do :: settled < N && waiting[settled + 1] -> waiting[settled + 1] = false; apply(settled + 1)
       :: else -> break
    od
}
inline purge(i) { assert(applied[i] == 1); kept[i] = false; confirmed[i] = true }

active proctype sender() { byte n, m;
end: do
    :: atomic { queued < N -> queued++; kept[queued] = true }
    :: atomic { next <= queued -> item_of[next] = next; num_of[next] = next; file[next] = true; next++ }
    :: atomic { file[1] && !net[1] -> net[1] = true }
    :: atomic { file[2] && !net[2] -> net[2] = true }
    :: atomic { (beat[1] || beat[2] || beat[3]) ->
        if :: beat[1] -> m = 1 :: beat[2] -> m = 2 :: beat[3] -> m = 3 fi;
        beat[m] = false;
        if :: m & 1 -> assert(applied[1] || waiting[1]); file[1] = false :: else fi;
        if :: m & 2 -> assert(applied[2] || waiting[2]); file[2] = false :: else fi;
#ifdef BUG_PURGE_ON_ACK
        if :: (m & 1) && kept[1] -> purge(1) :: else fi;
        if :: (m & 2) && kept[2] -> purge(2) :: else fi;
#endif
        m = 0 }
    :: atomic { conf[1] -> conf[1] = false; if :: kept[1] -> purge(1) :: else fi }
    :: atomic { conf[2] -> conf[2] = false; if :: kept[2] -> purge(2) :: else fi }
    od }

active proctype receiver() { byte m;
end: do
    :: atomic { work == 0 && net[1] -> work = 1
#ifdef BUG_ACK_EARLY
        ; infile[1] = true
#endif
       }
    :: atomic { work == 0 && net[2] -> work = 2
#ifdef BUG_ACK_EARLY
        ; infile[2] = true
#endif
       }
    :: atomic { work != 0 ->
#ifdef BUG_NO_KNOWN
        pass(item_of[work]);
#elif defined(BUG_ACK_EARLY)
        if :: applied[item_of[work]] == 0 && !waiting[item_of[work]] -> pass(item_of[work]) :: else fi;
#else
        if :: !infile[work] -> pass(item_of[work]) :: else fi;
#endif
        infile[work] = true; net[work] = false; work = 0 }
    :: atomic { m = infile[1] + 2 * infile[2]; (m && !beat[m]) -> beat[m] = true }
    :: atomic { applied[1] && !confirmed[1] && !conf[1] -> conf[1] = true }
    :: atomic { applied[2] && !confirmed[2] && !conf[2] -> conf[2] = true }
    :: atomic { work != 0 && crashes < 2 -> crashes++; work = 0 }      /* killed: memory is gone, the file still lies there */
    od }

/* Loses, repeats and reorders without a bound. */
active proctype gateway() {
end: do
       :: net[1] -> net[1] = false
       :: net[2] -> net[2] = false
       :: infile[1] && file[1] == false && !net[1] -> net[1] = true    /* a duplicate long after */
       :: infile[2] && file[2] == false && !net[2] -> net[2] = true
       :: atomic { (beat[1] || beat[2] || beat[3]) -> beat[1] = false; beat[2] = false; beat[3] = false }
       :: atomic { conf[1] || conf[2] -> conf[1] = false; conf[2] = false }
    od }

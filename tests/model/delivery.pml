/* delivery.pml - one direction of the delivery protocol and its acknowledgements; README.md says what is modelled.
 * The gateway is a set of files: what lies in it may be carried in any order, stay and come again (duplicate), or vanish.
 * One atomic block is one commit or one rename; a crash may fall between any two and leaves the database alone. Each thread is a process of
 * its own, so that weak fairness means: a thread that has work does some of it at last. */
#define N 2                              /* items: places 1..N of one case; number n of stream s */
bool net[3], beat[4], conf[3];           /* on the way: file n; a beat acknowledging set m; confirmation of item i */
byte next = 1, item_of[3];               /* sender's database: numbers given */
bool file[3], kept[3], confirmed[3];     /* out_file, out_item, the confirmation was heard */
bool infile[3], waiting[3];              /* receiver's database: in_file, in_item waiting */
byte applied[3], settled;                /* how often the handler ran; in_case.seq */
byte work, queued;                       /* receiver's memory: the file it prepares; items accepted */
byte crashes, harms;
#define RECEIVED (infile[1] + 2 * infile[2])
#ifdef FAIR
#define MAY_HARM harms < 3               /* it harms so often and is fair from then on */
#define harm harms++
#else
#define MAY_HARM true                    /* loses, repeats and reorders without a bound */
#define harm skip
#endif

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
#ifndef BUG_NO_DRAIN
    do :: settled < N && waiting[settled + 1] -> waiting[settled + 1] = false; apply(settled + 1)
       :: else -> break
    od
#endif
}
inline purge(i) { assert(applied[i] == 1); kept[i] = false; confirmed[i] = true }

active proctype citizen() {
end: do :: atomic { queued < N -> queued++; kept[queued] = true } od }

active proctype sender() {
end: do
    :: atomic { next <= queued -> item_of[next] = next; file[next] = true; next++
#ifdef BUG_NO_RESEND
        ; net[next - 1] = true }
    od }
#else
       }
    :: atomic { file[1] && !net[1] -> net[1] = true }
    :: atomic { file[2] && !net[2] -> net[2] = true }
    od }
#endif

active proctype hearer() { byte m;
end: do
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
    od }

active proctype confirmer() {
end: do
    :: atomic { conf[1] -> conf[1] = false; if :: kept[1] -> purge(1) :: else fi }
    :: atomic { conf[2] -> conf[2] = false; if :: kept[2] -> purge(2) :: else fi }
    od }

active proctype receiver() {
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
    :: atomic { work != 0 && crashes < 2 -> crashes++; work = 0 }      /* killed: memory is gone, the file still lies there */
    od }

active proctype clock() {
end: do :: atomic { RECEIVED && !beat[RECEIVED] -> beat[RECEIVED] = true } od }

active proctype answers() {
end: do
    :: atomic { applied[1] && !confirmed[1] && !conf[1] -> conf[1] = true }
    :: atomic { applied[2] && !confirmed[2] && !conf[2] -> conf[2] = true }
    od }

active proctype gateway() {
end: do
       :: atomic { MAY_HARM && net[1] -> harm; net[1] = false }
       :: atomic { MAY_HARM && net[2] -> harm; net[2] = false }
       :: atomic { MAY_HARM && infile[1] && file[1] == false && !net[1] -> harm; net[1] = true }    /* a duplicate long after */
       :: atomic { MAY_HARM && infile[2] && file[2] == false && !net[2] -> harm; net[2] = true }
       :: atomic { MAY_HARM && (beat[1] || beat[2] || beat[3]) -> harm; beat[1] = false; beat[2] = false; beat[3] = false }
       :: atomic { MAY_HARM && (conf[1] || conf[2]) -> harm; conf[1] = false; conf[2] = false }
    od }

#ifdef FAIR
ltl all_there { <> (confirmed[1] && confirmed[2]) }
#endif

#include "intranet-side/service/auth_password.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/text.h"
#include "intranet-side/service/auth.h"

enum { AT_A_TIME = 2, WAIT_S = 5 };
static const size_t memory = 19u << 20;          /* OWASP: argon2id, 19 MiB, 2 passes */
static const unsigned long long passes = 2;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static unsigned inside;

static int enter(struct err *e)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&gate);
    while (inside == AT_A_TIME && rc == 0)
        rc = pthread_cond_timedwait(&opened, &gate, &until);
    if (inside < AT_A_TIME) {
        inside++;
        rc = 0;
    }
    pthread_mutex_unlock(&gate);
    return rc ? err_set(e, ERR_BUSY, "two password hashes are under way") : 0;
}

static void leave(void)
{
    pthread_mutex_lock(&gate);
    inside--;
    pthread_cond_signal(&opened);
    pthread_mutex_unlock(&gate);
}

int password_hash(char out[128], const char *password, struct err *e)
{
    _Static_assert(crypto_pwhash_STRBYTES <= 128, "hash fits");
    if (enter(e) < 0)
        return -1;
    memset(out, 0, 128);
    int rc = crypto_pwhash_str_alg(out, password, strlen(password), passes, memory, crypto_pwhash_ALG_ARGON2ID13);
    leave();
    return rc < 0 ? err_set(e, ERR_INTERNAL, "password hash: out of memory") : 0;
}

int password_verify(const char *hash, const char *password, bool *right, struct err *e)
{
    *right = false;
    if (enter(e) < 0)
        return -1;
    *right = crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
    leave();
    return 0;
}

static char dummy[128];
static pthread_once_t dummy_made = PTHREAD_ONCE_INIT;
static void dummy_make(void)
{
    char first[17];
    struct err ignored = {0};
    password_first(first);
    password_hash(dummy, first, &ignored);
    sodium_memzero(first, sizeof first);
}

const char *password_dummy(void)
{
    pthread_once(&dummy_made, dummy_make);
    return dummy;
}

const char *password_rule(const char *password, const char *login)
{
    bool lower = false, upper = false, digit = false, other = false;
    long n = text_length(bytes_of(password));
    if (n < 12 || n > 128)
        return "密码要 12 到 128 位";
    for (const unsigned char *p = (const unsigned char *)password; *p; p++) {
        lower |= *p >= 'a' && *p <= 'z';
        upper |= *p >= 'A' && *p <= 'Z';
        digit |= *p >= '0' && *p <= '9';
        other |= !(*p < 0x80 && isalnum(*p));
    }
    if (lower + upper + digit + other < 3)
        return "密码要有大写字母、小写字母、数字、符号中的三种";
    if (*login && strcasestr(password, login))
        return "密码不能含有账号";
    return NULL;
}

void password_first(char out[17])
{
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    do {
        for (int i = 0; i < 16; i++)
            out[i] = i % 5 == 4 ? '-' : alphabet[randombytes_uniform(sizeof alphabet - 1)];
        out[16] = '\0';
    } while (password_rule(out, ""));
}

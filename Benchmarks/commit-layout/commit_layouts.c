// commit_layouts.c: how should a growing HDF5 snapshot file commit steps?
//
// Every layout gets the same rows and commits after every step. "Committed" here means that the step
// survives kill -9 of the process (its bytes are in the kernel); no layout calls fsync.
//
//   commit_layouts table SCRATCH     the comparison, as Markdown tables
//   commit_layouts kill  SCRATCH     kill -9 trials of the journal layouts
#define _GNU_SOURCE
#include <hdf5.h>
#include <zlib.h>
#include <zstd.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) do { if ((long long)(x) < 0) { fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #x); exit(1); } } while (0)
enum { MAXS = 256, ZSTD_ID = 32015 };
static char dir[512];
static double now_ms(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
static void path_of(char *out, const char *name) { snprintf(out, 600, "%s/%s", dir, name); }
static long size_of(const char *p) { struct stat st; return stat(p, &st) ? 0 : (long)st.st_size; }
static int cmp(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }
static double quantile(double *v, int n, double q) { qsort(v, n, sizeof *v, cmp); return v[(int)(q * (n - 1) + 0.5)]; }

// ---------------------------------------------------------------- the work: S streams, R rows a step, W floats a row
typedef struct { const char *name; int S, R, W, steps; float *data; } Work;
static uint64_t seed = 42;
static double uniform(void) { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; return ((seed >> 11) + 0.5) / 9007199254740992.0; }
static void generate(Work *w) {                      // normals with 40 % zeros; order: step, stream, row, column
    size_t n = (size_t)w->S * w->R * w->W * w->steps;
    w->data = malloc(n * 4); seed = 42;
    for (size_t i = 0; i < n; i++)
        w->data[i] = uniform() < 0.4 ? 0 : (float)(1e-3 * sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()));
}
static size_t step_floats(const Work *w) { return (size_t)w->S * w->R * w->W; }
static const float *rows_of(const Work *w, int step, int s) { return w->data + step * step_floats(w) + (size_t)s * w->R * w->W; }

// ---------------------------------------------------------------- checksum: CRC32C, by instruction where there is one
static uint32_t crc_table[256];
static void crc_init(void) { for (uint32_t i = 0; i < 256; i++) { uint32_t c = i; for (int k = 0; k < 8; k++) c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1; crc_table[i] = c; } }
#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_hw(const uint8_t *p, size_t n) {
    uint64_t c = 0xFFFFFFFF, v;
    for (; n >= 8; p += 8, n -= 8) { memcpy(&v, p, 8); c = __builtin_ia32_crc32di(c, v); }
    for (; n; p++, n--) c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return ~(uint32_t)c;
}
#endif
static uint32_t crc32c(const void *buf, size_t n) {
    const uint8_t *p = buf;
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return crc_hw(p, n);
#endif
    uint32_t c = ~0u;
    while (n--) c = crc_table[(c ^ *p++) & 255] ^ (c >> 8);
    return ~c;
}

// ---------------------------------------------------------------- codec: shuffle (4-byte) and zstd level 3
static size_t zstd_filter(unsigned flags, size_t ncd, const unsigned cd[], size_t n, size_t *cap, void **buf) {
    (void)ncd; (void)cd;
    size_t m = flags & H5Z_FLAG_REVERSE ? ZSTD_getFrameContentSize(*buf, n) : ZSTD_compressBound(n);
    void *out = malloc(m);
    size_t k = flags & H5Z_FLAG_REVERSE ? ZSTD_decompress(out, m, *buf, n) : ZSTD_compress(out, m, *buf, n, 3);
    if (ZSTD_isError(k)) { free(out); return 0; }
    free(*buf); *buf = out; *cap = m; return k;
}
static const H5Z_class2_t zstd_class = { H5Z_CLASS_T_VERS, ZSTD_ID, 1, 1, "zstd", NULL, NULL, zstd_filter };
static ZSTD_CCtx *cctx;
static uint8_t *shuffled, *packed;
static size_t compress_chunk(const void *src, size_t n) {           // result in `packed`
    static size_t cap; const uint8_t *p = src; size_t m = n / 4;
    if (!cctx) cctx = ZSTD_createCCtx();
    if (n > cap) { cap = n; shuffled = realloc(shuffled, n); packed = realloc(packed, ZSTD_compressBound(n)); }
    for (size_t i = 0; i < m; i++) for (int b = 0; b < 4; b++) shuffled[b * m + i] = p[4 * i + b];
    return ZSTD_compressCCtx(cctx, packed, ZSTD_compressBound(n), shuffled, n, 3);
}

// ---------------------------------------------------------------- one way of committing
typedef enum { APPEND, REWRITE, JOURNAL, SEGMENTS } Kind;
typedef enum { RAW, RAW_TAILZ, ZSTD } Codec;    // RAW_TAILZ: filters declared; full chunks skip them, the last one uses them
typedef enum { NOW, PACED, THREAD } Drain;      // when full chunks go to HDF5: at once, a few a step, on a second thread
typedef struct {
    const char *name; Kind kind; Codec codec; int C;       // C: rows in a chunk
    int steps, scale;   // steps run (0: all); time is multiplied by scale (when run with fewer streams)
    int file_flush;     // REWRITE: one H5Fflush a step in place of H5Dflush per stream. SEGMENTS: a group of datasets a step
    int no_journal;     // JOURNAL: the control, nothing durable until close
    int journal_all;    // journal rows even where they complete a chunk in the same commit
    int flush_always;   // H5Fflush at every step, chunk or no chunk
    Drain drain; double think;  // think: ms of work (spinning) between commits
} Layout;
typedef struct { double file, peak, jpeak, med, mean, worst, close, before; } Result;

typedef struct { int s; long row0; const float *buf; int owned; int flush_gen; } Job;   // flush_gen >= 0: flush, then drop journals below it
typedef struct {
    const Work *w; const Layout *l; hid_t file, ds[MAXS];
    float *tail[MAXS]; int pend[MAXS]; long done[MAXS];    // done: rows handed to HDF5 in full chunks
    int jfd, gen, oldgen; long jbytes, jold, jpeak;
    Job *q; long head, fill, qcap; pthread_mutex_t mu; pthread_cond_t cv; pthread_t th; int stop;
} Rec;

// Paged file space keeps small metadata from straddling a 4 KiB page. It matters: SIGKILL can stop a write(2) at a page
// boundary, and an object header torn there fails its checksum for good (see the `unpaged` row of the kill trials).
static int paged = 1;
static hid_t open_h5(const char *name) {
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE);
    if (paged) { H5Pset_file_space_strategy(fcpl, H5F_FSPACE_STRATEGY_PAGE, 0, 1); H5Pset_file_space_page_size(fcpl, 4096); }
    char p[600]; path_of(p, name);
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(fapl, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t f = H5Fcreate(p, H5F_ACC_TRUNC, fcpl, fapl); CHECK(f);
    H5Pclose(fapl); H5Pclose(fcpl); return f;
}
static void make_datasets(Rec *r) {
    hsize_t d[2] = {0, r->w->W}, mx[2] = {H5S_UNLIMITED, r->w->W}, ch[2] = {r->l->C, r->w->W};
    hid_t sp = H5Screate_simple(2, d, mx), p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 2, ch); H5Pset_fill_time(p, H5D_FILL_TIME_NEVER); H5Pset_obj_track_times(p, 0);
    if (r->l->codec != RAW) { unsigned lev = 3; H5Pset_shuffle(p); H5Pset_filter(p, ZSTD_ID, H5Z_FLAG_OPTIONAL, 1, &lev); }
    for (int s = 0; s < r->w->S; s++) {
        char n[32]; snprintf(n, 32, "s%03d", s);
        CHECK(r->ds[s] = H5Dcreate2(r->file, n, H5T_IEEE_F32LE, sp, H5P_DEFAULT, p, H5P_DEFAULT));
    }
    H5Pclose(p); H5Sclose(sp);
}
static void put_chunk(Rec *r, int s, long row0, const float *buf, long extent, int partial) {
    hsize_t off[2] = {row0, 0}, ext[2] = {extent, r->w->W}; size_t n = (size_t)r->l->C * r->w->W * 4;
    Codec c = r->l->codec;
    CHECK(H5Dset_extent(r->ds[s], ext));
    if (c == ZSTD || (c == RAW_TAILZ && partial)) { size_t k = compress_chunk(buf, n); CHECK(H5Dwrite_chunk(r->ds[s], H5P_DEFAULT, 0, off, k, packed)); }
    else CHECK(H5Dwrite_chunk(r->ds[s], H5P_DEFAULT, c == RAW ? 0 : 3, off, n, buf));   // mask 3: both filters skipped
}
static float *new_tail(Rec *r) { return malloc((size_t)r->l->C * r->w->W * 4); }

// Layouts 1 and 2: every commit rewrites the chunk in hand (with C == R no chunk is written twice).
static void commit_rewrite(Rec *r, int step) {
    const Work *w = r->w; int C = r->l->C;
    for (int s = 0; s < w->S; s++) {
        const float *src = rows_of(w, step, s);
        for (int left = w->R; left > 0;) {
            int k = C - r->pend[s] < left ? C - r->pend[s] : left;
            if (r->pend[s] == 0 && k < C) memset(r->tail[s], 0, (size_t)C * w->W * 4);
            memcpy(r->tail[s] + (size_t)r->pend[s] * w->W, src, (size_t)k * w->W * 4);
            src += (size_t)k * w->W; left -= k; r->pend[s] += k;
            put_chunk(r, s, r->done[s], r->tail[s], r->done[s] + r->pend[s], r->pend[s] < C);
            if (r->pend[s] == C) { r->done[s] += C; r->pend[s] = 0; }
        }
        if (!r->l->file_flush) CHECK(H5Dflush(r->ds[s]));
    }
    if (r->l->file_flush) CHECK(H5Fflush(r->file, H5F_SCOPE_LOCAL));
}

// ---- Layout 3. Full chunks go to HDF5 through a queue; rows short of a chunk live in memory and in the journal.
// Journal record: header, then per stream {end, n}: rows [end-n, end) follow, `end` rows of the stream are committed.
typedef struct { uint32_t magic, crc, len, gen; uint64_t step; } Head;    // crc covers everything after itself
typedef struct { uint32_t end, n; } Span;
static void journal_path(char *p, int gen) { char n[32]; snprintf(n, 32, "t.journal.%d", gen); path_of(p, n); }
static void journal_open(Rec *r) {
    char p[600]; journal_path(p, r->gen);
    CHECK(r->jfd = open(p, O_CREAT | O_TRUNC | O_WRONLY, 0644)); r->jbytes = 0;
}
static void journal_write(Rec *r, int step, const Span *sp, const float **rows) {
    size_t cap = sizeof(Head) + r->w->S * sizeof(Span), at = cap;
    for (int s = 0; s < r->w->S; s++) cap += (size_t)sp[s].n * r->w->W * 4;
    static uint8_t *rec; static size_t have; if (cap > have) { have = cap; rec = realloc(rec, cap); }
    memcpy(rec + sizeof(Head), sp, r->w->S * sizeof(Span));
    for (int s = 0; s < r->w->S; s++) { size_t n = (size_t)sp[s].n * r->w->W * 4; if (n) memcpy(rec + at, rows[s], n); at += n; }
    Head h = {0x4a4b5450, 0, cap, r->gen, step}; memcpy(rec, &h, sizeof h);
    h.crc = crc32c(rec + 8, cap - 8); memcpy(rec + 4, &h.crc, 4);
    if (write(r->jfd, rec, cap) != (ssize_t)cap) { perror("journal"); exit(1); }
    r->jbytes += cap;
    if (r->jbytes + r->jold > r->jpeak) r->jpeak = r->jbytes + r->jold;
}
static void run_job(Rec *r, Job j) {
    if (j.flush_gen < 0) { put_chunk(r, j.s, j.row0, j.buf, j.row0 + r->l->C, 0); if (j.owned) free((void *)j.buf); return; }
    CHECK(H5Fflush(r->file, H5F_SCOPE_LOCAL));
    for (; r->oldgen < j.flush_gen; r->oldgen++) { char p[600]; journal_path(p, r->oldgen); unlink(p); r->jold = 0; }
}
static void *worker(void *arg) {                       // owns every HDF5 call while it runs
    Rec *r = arg;
    pthread_mutex_lock(&r->mu);
    for (;;) {
        while (r->head == r->fill && !r->stop) pthread_cond_wait(&r->cv, &r->mu);
        if (r->head == r->fill) break;
        Job j = r->q[r->head % r->qcap];
        pthread_mutex_unlock(&r->mu); run_job(r, j); pthread_mutex_lock(&r->mu);
        r->head++; pthread_cond_broadcast(&r->cv);
    }
    pthread_mutex_unlock(&r->mu); return NULL;
}
static void push(Rec *r, Job j) {
    if (r->l->drain == NOW) { run_job(r, j); return; }
    if (r->l->drain == PACED) { if (r->fill - r->head == r->qcap) run_job(r, r->q[r->head++ % r->qcap]); r->q[r->fill++ % r->qcap] = j; return; }
    pthread_mutex_lock(&r->mu);
    while (r->fill - r->head == r->qcap) pthread_cond_wait(&r->cv, &r->mu);     // bounded: back pressure
    r->q[r->fill++ % r->qcap] = j; pthread_cond_broadcast(&r->cv); pthread_mutex_unlock(&r->mu);
}
static void drain_all(Rec *r) {
    if (r->l->drain == PACED) while (r->head < r->fill) run_job(r, r->q[r->head++ % r->qcap]);
    if (r->l->drain != THREAD) return;
    pthread_mutex_lock(&r->mu); while (r->head < r->fill) pthread_cond_wait(&r->cv, &r->mu); pthread_mutex_unlock(&r->mu);
}
static void commit_journal(Rec *r, int step) {
    const Work *w = r->w; const Layout *l = r->l; int C = l->C, W = w->W, direct = 0, filled = 0; long live = 0;
    Span sp[MAXS] = {0}; const float *rows[MAXS];
    for (int s = 0; s < w->S; s++) {
        const float *src = rows_of(w, step, s); int left = w->R;
        rows[s] = src; sp[s].n = w->R;
        while (left > 0) {
            int k = C - r->pend[s] < left ? C - r->pend[s] : left, whole = k == C && l->drain == NOW;
            if (!whole) memcpy(r->tail[s] + (size_t)r->pend[s] * W, src, (size_t)k * W * 4);
            r->pend[s] += k; left -= k;
            if (r->pend[s] == C) {
                push(r, (Job){s, r->done[s], whole ? src : r->tail[s], !whole, -1}); filled++;
                if (!whole) r->tail[s] = new_tail(r);
                r->done[s] += C; r->pend[s] = 0;
                // The step's own rows fill whole chunks: HDF5 is the commit, the journal takes only what is left over.
                if (!l->journal_all && (w->R >= C || l->drain == NOW)) { direct = 1; sp[s].n = left; rows[s] = src + (size_t)k * W; }
            }
            src += (size_t)k * W;
        }
        sp[s].end = r->done[s] + r->pend[s]; live += (long)r->pend[s] * W * 4;
    }
    if (l->no_journal) return;
    if (direct || l->flush_always) { push(r, (Job){0, 0, 0, 0, 0}); if (direct) drain_all(r); }
    journal_write(r, step, sp, rows);
    // Rotate: the new journal begins with the live tails; the old one goes once the queued chunks are flushed.
    if (filled && r->jold == 0 && r->jbytes > (1 << 20) && 4 * live <= r->jbytes) {
        long old = r->jbytes; close(r->jfd); r->gen++; journal_open(r); r->jold = old;
        for (int s = 0; s < w->S; s++) { sp[s].n = r->pend[s]; rows[s] = r->tail[s]; }
        journal_write(r, step, sp, rows);
        push(r, (Job){0, 0, 0, 0, r->gen});
    }
    if (l->drain == PACED) for (int k = 1 + w->S * w->R / C; k-- && r->head < r->fill;) run_job(r, r->q[r->head++ % r->qcap]);
}

// ---- Layout 4. One packed dataset (or a group of datasets, one a stream) per step; no SWMR, which forbids new objects.
static void commit_segment(Rec *r, int step) {
    const Work *w = r->w; char n[40]; hsize_t d[2] = {(hsize_t)w->S * w->R, w->W}; hid_t g = r->file;
    int many = r->l->file_flush; snprintf(n, 40, "step%06d", step);
    if (many) { CHECK(g = H5Gcreate2(r->file, n, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); d[0] = w->R; }
    hid_t sp = H5Screate_simple(2, d, d);
    for (int s = 0; s < (many ? w->S : 1); s++) {
        if (many) snprintf(n, 40, "s%03d", s);
        hid_t ds = H5Dcreate2(g, n, H5T_IEEE_F32LE, sp, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT); CHECK(ds);
        CHECK(H5Dwrite(ds, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows_of(w, step, s))); H5Dclose(ds);
    }
    H5Sclose(sp); if (many) H5Gclose(g);
    CHECK(H5Fflush(r->file, H5F_SCOPE_LOCAL));
}

static void rec_open(Rec *r, const Work *w, const Layout *l, const char *name) {
    memset(r, 0, sizeof *r); r->w = w; r->l = l; r->jfd = -1;
    r->file = open_h5(name);
    if (l->kind == SEGMENTS) return;
    make_datasets(r);
    for (int s = 0; s < w->S; s++) r->tail[s] = new_tail(r);
    CHECK(H5Fstart_swmr_write(r->file));
    if (l->kind != JOURNAL) return;
    r->qcap = 2 * w->S + 16; r->q = malloc(r->qcap * sizeof *r->q);
    if (!l->no_journal) journal_open(r);
    pthread_mutex_init(&r->mu, NULL); pthread_cond_init(&r->cv, NULL);
    if (l->drain == THREAD) pthread_create(&r->th, NULL, worker, r);
}
static void rec_commit(Rec *r, int step) {
    r->l->kind == REWRITE ? commit_rewrite(r, step) : r->l->kind == JOURNAL ? commit_journal(r, step) : commit_segment(r, step);
}
static void rec_close(Rec *r) {
    const Work *w = r->w; char p[600];
    if (r->l->kind == JOURNAL) {
        drain_all(r);
        if (r->l->drain == THREAD) { pthread_mutex_lock(&r->mu); r->stop = 1; pthread_cond_broadcast(&r->cv); pthread_mutex_unlock(&r->mu); pthread_join(r->th, NULL); }
        for (int s = 0; s < w->S; s++) if (r->pend[s]) {            // fold the tails in, zero padded
            memset(r->tail[s] + (size_t)r->pend[s] * w->W, 0, (size_t)(r->l->C - r->pend[s]) * w->W * 4);
            put_chunk(r, s, r->done[s], r->tail[s], r->done[s] + r->pend[s], 1);
        }
    }
    if (r->l->kind != SEGMENTS) for (int s = 0; s < w->S; s++) { H5Dclose(r->ds[s]); free(r->tail[s]); }
    CHECK(H5Fclose(r->file));
    if (r->jfd >= 0) { close(r->jfd); for (int g = r->oldgen; g <= r->gen; g++) { journal_path(p, g); unlink(p); } }
    free(r->q);
}
// Layout 4 only: read the segments back and write full chunks to a second file.
static void compact(const Work *w, const Layout *l, int steps) {
    char p[600]; path_of(p, "t.h5"); hid_t in = H5Fopen(p, H5F_ACC_RDONLY, H5P_DEFAULT); CHECK(in);
    Work copy = *w; copy.steps = steps; copy.data = malloc(step_floats(w) * steps * 4);
    for (int t = 0; t < steps; t++) for (int s = 0; s < (l->file_flush ? w->S : 1); s++) {
        char n[60]; l->file_flush ? snprintf(n, 60, "step%06d/s%03d", t, s) : snprintf(n, 60, "step%06d", t);
        hid_t d = H5Dopen2(in, n, H5P_DEFAULT); CHECK(d);
        CHECK(H5Dread(d, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, (float *)rows_of(&copy, t, s))); H5Dclose(d);
    }
    H5Fclose(in);
    Layout o = *l; o.kind = JOURNAL; o.no_journal = 1; Rec r; rec_open(&r, &copy, &o, "compact.h5");
    for (int t = 0; t < steps; t++) rec_commit(&r, t);
    rec_close(&r); free(copy.data);
}

// ---------------------------------------------------------------- measuring
static void spin(double ms) { for (double end = now_ms() + ms; ms > 0 && now_ms() < end;) ; }
static Result run_one(const Work *w, const Layout *l) {
    int steps = l->steps ? l->steps : w->steps; double *t = malloc(steps * sizeof *t), sum = 0; Result o = {0};
    char p[600], c[600]; path_of(p, "t.h5"); path_of(c, "compact.h5");
    if (l->kind == APPEND) {
        int fd = open(p, O_CREAT | O_TRUNC | O_WRONLY, 0644); CHECK(fd);
        size_t n = step_floats(w) * 4;
        for (int i = 0; i < steps; i++) {
            spin(l->think); double a = now_ms();
            if (write(fd, rows_of(w, i, 0), n) != (ssize_t)n) exit(1);
            sum += t[i] = now_ms() - a;
        }
        close(fd); o.file = o.peak = size_of(p);
    } else {
        Rec *r = malloc(sizeof *r); rec_open(r, w, l, "t.h5");
        for (int i = 0; i < steps; i++) { spin(l->think); double a = now_ms(); rec_commit(r, i); sum += t[i] = now_ms() - a; }
        double a = now_ms(); rec_close(r);
        o.before = o.file = size_of(p); o.jpeak = r->jpeak; o.peak = o.file + r->jpeak;
        if (l->kind == SEGMENTS) { compact(w, l, steps); o.file = size_of(c); o.peak = o.before + o.file; }
        o.close = now_ms() - a; free(r);
    }
    unlink(p); unlink(c);
    double payload = (double)step_floats(w) * 4 * steps, k = l->scale ? l->scale : 1;
    o.file /= payload; o.peak /= payload; o.before /= payload;
    o.mean = k * sum / steps; o.close *= k; o.jpeak *= k; o.med = k * quantile(t, steps, 0.5); o.worst = k * t[steps - 1];
    free(t); return o;
}
#define MEDIAN(field) ({ double v[9]; for (int i = 0; i < reps; i++) v[i] = o[i].field; quantile(v, reps, 0.5); })
static void row(const Work *w, const Work *control, Layout l, int reps) {   // each run lies between two controls
    Result o[9]; double rm[9], ra[9]; Layout app = {.kind = APPEND, .think = l.think};
    for (int i = 0; i < reps; i++) {
        Result b = run_one(control, &app); o[i] = run_one(w, &l); Result a = run_one(control, &app);
        rm[i] = o[i].med / ((b.med + a.med) / 2); ra[i] = o[i].mean / ((b.mean + a.mean) / 2);
    }
    static const char *codec[] = {"raw", "raw+tailz", "zstd"};
    printf("| %s | %s | %s | %d | %.0f | %d | %.2f | %.2f | %.1f | %.3f | %.3f | %.1f | %.1f | **%.1f** | %.0f |\n", w->name, l.name,
           l.kind == APPEND ? "raw" : codec[l.codec], l.C, l.C * w->W * 4 / 1024.0, l.steps ? l.steps : w->steps, MEDIAN(file), MEDIAN(peak),
           MEDIAN(jpeak) / 1e6, MEDIAN(med), MEDIAN(mean), MEDIAN(worst), quantile(rm, reps, .5), quantile(ra, reps, .5), MEDIAN(close));
    fflush(stdout);
}
static void head(const char *title) {
    printf("\n%s\n\n| work | layout | codec | chunk rows | chunk KiB | steps | file / payload | peak disk / payload | journal peak MB | median ms | mean ms | worst ms | median / append | mean / append | close ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n", title);
}
static void tables(void) {
    Work A = {"A", 200, 1, 64, 1100, 0}, B = {"B", 4, 512, 256, 40, 0}, A20, P;
    generate(&A); generate(&B);
    A20 = (Work){"A (20 streams, time x10)", 20, 1, 64, 256, A.data}; P = (Work){"A packed in one dataset", 1, 200, 64, 1100, A.data};
    double t = now_ms(); uint32_t x = crc32c(A.data, 50 << 20); double a = now_ms() - t;
    t = now_ms(); x ^= crc32(0, (void *)A.data, 50 << 20); double z = now_ms() - t;
    t = now_ms(); size_t k = 0; for (int i = 0; i < 200; i++) k += compress_chunk(A.data + i * 16384, 65536); double c = now_ms() - t;
    printf("crc32c %.1f GB/s, zlib crc32 %.1f GB/s, shuffle+zstd-3 in 64 KiB chunks %.0f MB/s to %.2f of the size (%x)\n",
           .0524288e3 / a, .0524288e3 / z, 13.1072e3 / c, k / 13107200.0, x & 15);
    Work *AB[] = {&A, &B};
    head("Layouts, 256-row chunks unless said");
    for (int e = 0; e < 2; e++) {
        Work *w = AB[e], *lw = e ? &B : &A20; int sc = e ? 1 : 10, n2 = e ? 0 : 200;
        row(w, w, (Layout){.name = "0 plain append", .kind = APPEND}, 3);
        for (Codec q = RAW; q <= ZSTD; q += 2) {
            row(lw, w, (Layout){.name = "1 rewrite partly filled", .kind = REWRITE, .codec = q, .C = e ? 768 : 256, .scale = sc}, 1);
            row(w, w, (Layout){.name = "2 step-sized chunks, H5Dflush", .kind = REWRITE, .codec = q, .C = w->R, .steps = n2}, 1);
            row(w, w, (Layout){.name = "2f step-sized chunks, one H5Fflush", .kind = REWRITE, .codec = q, .C = w->R, .steps = n2, .file_flush = 1}, 1);
            if (q == RAW) row(w, w, (Layout){.name = "3d, last chunk compressed", .kind = JOURNAL, .codec = RAW_TAILZ, .C = 256, .drain = THREAD}, 3);
            if (!e) row(&P, w, (Layout){.name = "2p as 2f, all streams in one dataset", .kind = REWRITE, .codec = q, .C = 200, .file_flush = 1}, 3);
            row(w, w, (Layout){.name = "3a journal all, flush every step", .kind = JOURNAL, .codec = q, .C = 256, .journal_all = 1, .flush_always = 1}, 3);
            row(w, w, (Layout){.name = "3b journal tails, flush at full chunk", .kind = JOURNAL, .codec = q, .C = 256}, 3);
            row(w, w, (Layout){.name = "3c as 3b, chunks paced", .kind = JOURNAL, .codec = q, .C = 256, .drain = PACED}, 3);
            row(w, w, (Layout){.name = "3d as 3b, chunks on a thread", .kind = JOURNAL, .codec = q, .C = 256, .drain = THREAD}, 3);
            row(w, w, (Layout){.name = "3d with 2 ms (A) / 30 ms (B) between commits", .kind = JOURNAL, .codec = q, .C = 256, .drain = THREAD, .think = e ? 30 : 2}, 1);
            if (e) row(w, w, (Layout){.name = "3e as 3d, all rows journalled, 30 ms between", .kind = JOURNAL, .codec = q, .C = 256, .drain = THREAD, .think = 30, .journal_all = 1}, 1);
            row(w, w, (Layout){.name = "5 no commit", .kind = JOURNAL, .codec = q, .C = 256, .no_journal = 1}, 3);
        }
        row(w, w, (Layout){.name = "4 one dataset a step", .kind = SEGMENTS, .C = 256}, 1);
        row(w, w, (Layout){.name = "4g a group of datasets a step", .kind = SEGMENTS, .C = 256, .steps = n2, .file_flush = 1}, 1);
    }
    head("Chunk size, layout 3b");
    for (int e = 0; e < 2; e++) for (Codec q = RAW; q <= ZSTD; q += 2) {
        static const int C[2][6] = {{16, 64, 256, 512, 1024}, {64, 128, 256, 512, 768, 1024}};
        for (int i = 0; i < 6; i++) if (C[e][i]) row(AB[e], AB[e], (Layout){.name = "3b", .kind = JOURNAL, .codec = q, .C = C[e][i]}, q ? 1 : 3);
    }
    head("Short runs, layout 3b: what the last, partly filled chunk costs");
    Work As = A, Bs = B; As.steps = 20; Bs.steps = 1; Bs.R = 100;
    Work *Sh[] = {&As, &Bs};
    for (int e = 0; e < 2; e++) for (Codec q = RAW; q <= ZSTD; q++) for (int C = 64; C <= 256; C *= 4)
        row(Sh[e], Sh[e], (Layout){.name = e ? "3b, one step of 100 rows" : "3b", .kind = JOURNAL, .codec = q, .C = C}, 3);
}

// ---------------------------------------------------------------- kill -9
// Read back what a killed writer left: HDF5 rows through `f`, later rows from the journals. Returns the steps recovered, -1 on a wrong row.
static int recover(const Work *w, hid_t f, int *torn, int *segs) {
    static uint8_t *got[MAXS]; long have[MAXS], end[MAXS] = {0}; size_t rb = (size_t)w->W * 4, total = (size_t)w->steps * w->R;
    uint8_t *seen = calloc(w->S, total); *torn = *segs = 0; int bad = 0;
    for (int s = 0; s < w->S; s++) {
        if (!got[s]) got[s] = malloc(total * rb);
        char n[32]; snprintf(n, 32, "s%03d", s); hsize_t d[2];
        hid_t ds = H5Dopen2(f, n, H5P_DEFAULT), sp; have[s] = 0;
        if (ds < 0) { bad = 1; continue; }              // torn metadata: this dataset cannot be opened
        sp = H5Dget_space(ds); H5Sget_simple_extent_dims(sp, d, NULL); have[s] = d[0];
        if (d[0] && H5Dread(ds, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, got[s]) < 0) bad = 1;
        memset(seen + s * total, 1, have[s]); H5Sclose(sp); H5Dclose(ds);
    }
    for (int g = 0; g < 200; g++) {
        char p[600]; journal_path(p, g); long n = size_of(p), at = 0; FILE *in = n || !access(p, F_OK) ? fopen(p, "rb") : NULL;
        if (!in) continue;
        uint8_t *b = malloc(n + 1); if (fread(b, 1, n, in) != (size_t)n) exit(1);
        fclose(in); ++*segs;
        while (at + (long)sizeof(Head) <= n) {
            Head h; memcpy(&h, b + at, sizeof h);
            if (h.magic != 0x4a4b5450 || h.gen != (uint32_t)g || at + h.len > n || crc32c(b + at + 8, h.len - 8) != h.crc) break;
            Span *sp = (Span *)(b + at + sizeof h); uint8_t *q = (uint8_t *)(sp + w->S);
            for (int s = 0; s < w->S; s++) {
                size_t r0 = sp[s].end - sp[s].n; end[s] = sp[s].end;
                if (sp[s].n) { memcpy(got[s] + r0 * rb, q, sp[s].n * rb); memset(seen + s * total + r0, 1, sp[s].n); q += sp[s].n * rb; }
            }
            at += h.len;
        }
        *torn += at < n; free(b); unlink(p);
    }
    int steps = end[0] / w->R;
    for (int s = 0; s < w->S; s++) for (long i = 0; i < end[s]; i++)
        if (end[s] != end[0] || !seen[s * total + i] || memcmp(got[s] + i * rb, rows_of(w, i / w->R, s) + (i % w->R) * w->W, rb)) steps = -1;
    free(seen); return bad ? -1 : steps;
}
static void kills(void) {
    Work K = {"K", 32, 3, 64, 4000, 0}; generate(&K);       // 3 rows a step, 16-row chunks: chunk edges never fall on steps
    Layout ls[] = {{.name = "3b raw", .kind = JOURNAL, .C = 16}, {.name = "3b zstd", .kind = JOURNAL, .codec = ZSTD, .C = 16},
                   {.name = "3c zstd, paced", .kind = JOURNAL, .codec = ZSTD, .C = 16, .drain = PACED}, {.name = "3d zstd, thread", .kind = JOURNAL, .codec = ZSTD, .C = 16, .drain = THREAD}, {.name = "3b raw, unpaged file", .kind = JOURNAL, .C = 16}};
    char p[600]; path_of(p, "t.h5"); H5Eset_auto2(H5E_DEFAULT, NULL, NULL); srand(7);
    // Without this bound libhdf5 retries a torn header 100 times with doubling sleeps under SWMR: in effect it hangs.
    hid_t rd = H5Pcreate(H5P_FILE_ACCESS); H5Pset_metadata_read_attempts(rd, 16);
    printf("\n| layout | kills | steps acknowledged (min..max) | all of them recovered, every row equal | extra steps recovered | torn last record | 2 journals found | plain read-only open | plain read-write open | SWMR-read open | plain open after h5clear -s |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (int k = 0; k < 5; k++) {
        paged = k < 4; int lo = 1 << 30, hi = 0, ok = 0, extra = 0, torn = 0, two = 0, ro = 0, rw = 0, sr = 0, cl = 0, n = k == 0 || k == 4 ? 400 : 40;
        for (int i = 0; i < n; i++) {
            int fd[2], step = 0, acked = 0; CHECK(pipe(fd)); fflush(stdout);
            pid_t pid = fork(); CHECK(pid);
            if (!pid) {
                Rec *r = malloc(sizeof *r); rec_open(r, &K, &ls[k], "t.h5");
                for (int t = 0; t < K.steps; t++) { rec_commit(r, t); step = t + 1; if (write(fd[1], &step, 4) != 4) _exit(1); }
                for (;;) pause();
            }
            close(fd[1]); int wait_for = 20 + rand() % 400;
            while (acked < wait_for && read(fd[0], &step, 4) == 4) acked = step;
            usleep(rand() % 2000); kill(pid, SIGKILL); waitpid(pid, NULL, 0);
            while (read(fd[0], &step, 4) == 4) acked = step;
            close(fd[0]);
            hid_t f = H5Fopen(p, H5F_ACC_RDONLY, H5P_DEFAULT); if (f >= 0) { ro++; H5Fclose(f); }
            f = H5Fopen(p, H5F_ACC_RDWR, H5P_DEFAULT); if (f >= 0) { rw++; H5Fclose(f); }
            f = H5Fopen(p, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, rd);
            if (f >= 0) {
                int tn, sg, got = recover(&K, f, &tn, &sg); sr++; H5Fclose(f);
                ok += got >= acked; if (got > acked) extra += got - acked;
                torn += tn; two += sg > 1;
            }
            char cmd[700]; snprintf(cmd, 700, "h5clear -s '%s' >/dev/null 2>&1", p);
            if (system(cmd) == 0 && (f = H5Fopen(p, H5F_ACC_RDONLY, H5P_DEFAULT)) >= 0) { cl++; H5Fclose(f); }
            if (acked < lo) lo = acked;
            if (acked > hi) hi = acked;
        }
        printf("| %s | %d | %d..%d | %d of %d | %d | %d | %d | %d of %d opened | %d of %d opened | %d of %d opened | %d of %d opened |\n",
               ls[k].name, n, lo, hi, ok, n, extra, torn, two, ro, n, rw, n, sr, n, cl, n);
        unlink(p);
    }
}
int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "usage: commit_layouts table|kill SCRATCH\n"); return 2; }
    snprintf(dir, sizeof dir, "%s", argv[2]); crc_init(); H5Zregister(&zstd_class);
    mallopt(M_MMAP_THRESHOLD, 1 << 30); mallopt(M_TRIM_THRESHOLD, 1 << 30);     // reuse chunk buffers, as a product would
    strcmp(argv[1], "kill") ? tables() : kills();
    return 0;
}

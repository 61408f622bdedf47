// How loops are compiled more than once.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
/// For AVX2 and the baseline.
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
/// For AVX-512 too, where its width pays.
#define WIDE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#define WIDE_CLONES
#endif

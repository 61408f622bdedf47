// CBLAS comes with OpenBLAS; LAPACKE stands beside it on Debian and inside it on Homebrew.
#pragma once
#include <cblas.h>
#include <lapacke.h>

"""The inner loops: every compiled function of the solvers, a module a kind.

Numba infers the types, so that they have none written down; a plain twin of each stands
in the tests. What only writes rows one by one does so because whole slices take numba
seconds to compile.
"""

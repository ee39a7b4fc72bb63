"""Tools to build Cronny with; none of them is part of the wheel, except the module of Temporal."""

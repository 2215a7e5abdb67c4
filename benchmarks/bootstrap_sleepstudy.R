# Time of 1,000 parametric bootstrap refits of sleepstudy in lme4, and of its profile intervals.
suppressPackageStartupMessages(library(lme4))
m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE)
f <- function(x) c(fixef(x), as.data.frame(VarCorr(x))$sdcor)
t <- suppressWarnings(suppressMessages(system.time(b <- bootMer(m, f, nsim = 1000, seed = 1))))
cat("bootMer:", t[["elapsed"]], "s\n")
cat("profile:", suppressWarnings(suppressMessages(system.time(confint(m, method = "profile", quiet = TRUE))))[["elapsed"]], "s\n")

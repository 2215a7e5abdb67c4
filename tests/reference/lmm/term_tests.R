# Type I, II and III tests of an unbalanced design by lmerTest, and Wald intervals of ML fits by glmmTMB.
# Usage: Rscript term_tests.R   (reads term_tests.csv, writes term_tests.json, both beside this file)
suppressPackageStartupMessages({library(lmerTest); library(jsonlite); library(glmmTMB)})
d <- read.csv("term_tests.csv", stringsAsFactors = TRUE)
f <- y ~ a * b * x + (1 | g)
m <- lmer(f, d, control = lmerControl(optCtrl = list(xtol_rel = 1e-12, ftol_abs = 1e-12)))
tab <- function(k) { t <- as.data.frame(anova(m, type = k)); list(term = rownames(t), num_df = t$NumDF, den_df = t$DenDF, f_value = t$`F value`, sum_sq = t$`Sum Sq`) }
g <- glmmTMB(y ~ a + x + (1 | g), d)
ci <- confint(g, full = FALSE)
writeLines(toJSON(list(versions = list(R = as.character(getRversion()), lmerTest = as.character(packageVersion("lmerTest")), glmmTMB = as.character(packageVersion("glmmTMB"))),
  types = lapply(1:3, tab), wald = list(term = rownames(ci), low = ci[, 1], high = ci[, 2], sigma = sigma(g))), digits = NA, auto_unbox = TRUE), "term_tests.json")

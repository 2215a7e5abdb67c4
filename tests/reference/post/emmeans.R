# Contrasts and trends of emmeans on lme4's cake data: Rscript emmeans.R > emmeans.json
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(emmeans); library(jsonlite)})
emm_options(lmer.df = "satterthwaite")
m <- lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake, REML = TRUE)
keep <- function(x) { x <- as.list(as.data.frame(x)); x[] <- lapply(x, function(v) if (is.factor(v)) as.character(v) else v); x }
out <- list(versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")), emmeans = as.character(packageVersion("emmeans"))))
grid <- emmeans(m, ~ recipe | temp, at = list(temp = c(180, 220)))
for (adjust in c("none", "tukey", "bonferroni", "sidak", "mvt")) out[[adjust]] <- keep(summary(pairs(grid, adjust = adjust), infer = TRUE))
out$means <- keep(summary(emmeans(m, ~ recipe, weights = "equal"), infer = TRUE))
trends <- emtrends(m, ~ recipe, "temp")
out$trends <- keep(summary(trends, infer = TRUE))
out$trend_pairs <- keep(summary(pairs(trends, adjust = "none"), infer = TRUE))
cat(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "\n")

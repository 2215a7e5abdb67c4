# Times lavaan on the models of sem_lavaan.py. Usage: Rscript sem_lavaan.R FOLDER
# FOLDER holds school.csv, wide.csv and models.json (name, model, data, arguments); writes hs.csv, hs_missing.csv first when asked with "data".
suppressMessages({ library(lavaan); library(jsonlite) })
args <- commandArgs(TRUE); folder <- args[1]
if (length(args) > 1 && args[2] == "data") {
  hs <- HolzingerSwineford1939[paste0("x", 1:9)]
  write.csv(hs, file.path(folder, "hs.csv"), row.names = FALSE)
  set.seed(1); m <- as.matrix(hs); m[matrix(runif(length(m)) < 0.15, nrow(m))] <- NA
  write.csv(as.data.frame(m), file.path(folder, "hs_missing.csv"), row.names = FALSE)
  quit()
}
jobs <- fromJSON(file.path(folder, "models.json"), simplifyVector = FALSE)
out <- list()
for (job in jobs) {
  d <- read.csv(file.path(folder, job$data))
  seconds <- c()
  for (k in seq_len(job$lavaan_runs)) {
    t <- system.time(fit <- suppressWarnings(do.call("sem", c(list(job$model, data = d), job$lavaan))))
    seconds <- c(seconds, t[["user.self"]] + t[["sys.self"]])
  }
  out[[job$name]] <- list(seconds = median(seconds), logLik = as.numeric(fit@loglik$loglik))
}
write_json(list(version = as.character(packageVersion("lavaan")), results = out), file.path(folder, "lavaan.json"), auto_unbox = TRUE, digits = 12)

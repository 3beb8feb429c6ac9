module betanet/tls_peer

go 1.24
